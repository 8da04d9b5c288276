import { type KeyFileEntry, listOf } from '../../rauc/key-file.ts';
import { type Bundle, entryIn, imagesOf } from './bundle.ts';

export interface HookList {
  entry: KeyFileEntry;
  names: string[];
  /** The group of the image; undefined for the bundle's own hooks. */
  image: string | undefined;
}

/** Every `hooks=` of the manifest. */
export function hookListsOf({ manifest }: Bundle): HookList[] {
  return ['hooks', ...imagesOf(manifest).map(({ name }) => name)].flatMap((group) => {
    const entry = entryIn(manifest, group, 'hooks');
    if (entry === undefined) return [];
    return [{ entry, names: listOf(entry.value), image: group === 'hooks' ? undefined : group }];
  });
}
