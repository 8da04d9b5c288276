import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { createKeys, findKeys } from '../../../shared/packaging/pki/keys.ts';
import { project } from '../../../shared/packaging/project.ts';
import { command } from '../../../shared/system/process/command.ts';
import { compiledPrograms } from '../../support/build/compiled-programs.ts';
import { oneAtATime } from '../../support/build/one-at-a-time.ts';
import { digestOf } from '../../support/digest.ts';
import type { CardParts } from './card-image.ts';
import { makeFactory } from './factory.ts';
import { makeRelease, type Release, releases } from './releases.ts';

/** One root file system, one card and all bundles, made once for what they are made of. Needs root. */
export interface LabImages {
  card: string;
  /** A disk with the bundles, by their names. */
  bundles: string;
}

const toolMs = 10 * 60_000;
const sources = [
  'hooks',
  'shared',
  'bundle-skeleton',
  'test/lab/overlay',
  'test/lab/images',
  'test/support/build/pack-bundle.ts',
  'package-lock.json',
];

let made: Promise<LabImages> | undefined;

export function labImages(): Promise<LabImages> {
  made ??= findImages();
  return made;
}

/** What they were made of, in a word. */
export function nameOf({ card }: LabImages): string {
  return basename(dirname(card));
}

async function findImages(): Promise<LabImages> {
  return await imagesBelow('lab', sources, { makeFactory, releases });
}

/** In a folder of the cache by the digest of what they are made of; what stands beside it there is older, and goes. */
export async function imagesBelow(
  name: string,
  madeOf: readonly string[],
  what: { makeFactory: (parts: CardParts) => Promise<void>; releases: readonly Release[] },
): Promise<LabImages> {
  const folder = join(project.cache, name, digestOf(madeOf));
  const images = { card: join(folder, 'card.img'), bundles: join(folder, 'bundles.img') };
  if (!existsSync(images.bundles))
    await oneAtATime({ what: 'the lab' }, async () => {
      if (existsSync(images.bundles)) return;
      rmSync(dirname(folder), { recursive: true, force: true });
      await makeImages(folder, images, what);
    });
  return images;
}

async function makeImages(
  folder: string,
  images: LabImages,
  { makeFactory, releases }: Parameters<typeof imagesBelow>[2],
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const rootfs = join(folder, 'rootfs.ext4');
  const keys = findKeys(join(folder, 'keys')) ?? (await createKeys(join(folder, 'keys')));
  const programs = await compiledPrograms({ architecture: 'arm64' });
  await makeFactory({ folder, rootfs, programs, keyring: keys.keyringPath, card: images.card });
  const shelf = join(folder, 'shelf');
  mkdirSync(shelf);
  for (const release of releases) await makeRelease(release, { folder, rootfs, programs, keys, shelf });
  const part = `${images.bundles}.part`;
  const sizeMiB = Math.ceil((folderBytes(shelf) * 1.05) / 2 ** 20) + 64;
  const make = command({ deadlineMs: toolMs });
  await make`mkfs.ext4 -q -F -m 0 -O ^has_journal -d ${shelf} ${part} ${`${sizeMiB}M`}`;
  rmSync(shelf, { recursive: true });
  renameSync(part, images.bundles);
}

function folderBytes(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}
