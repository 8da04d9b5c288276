import { mayHoldFolders, raucVersion } from '../../../shared/packaging/format/rauc-version.ts';

/** How programs lie in the bundles that this machine's RAUC packs: as `build.ts bundle` decides it. */

/** `HOMIE_LAYOUT=flat` asks for bundles without folders of a RAUC that takes either. */
export async function isFlat(): Promise<boolean> {
  return process.env['HOMIE_LAYOUT'] === 'flat' || !mayHoldFolders(await raucVersion());
}

/** The place of a program in a bundle. */
export async function placeOfProgram(name: string): Promise<string> {
  return (await isFlat()) ? name : `update-hooks/${name}`;
}
