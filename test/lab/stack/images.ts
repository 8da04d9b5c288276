import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { compilePrograms } from '../../../shared/packaging/compile.ts';
import { createKeys, findKeys } from '../../../shared/packaging/keys.ts';
import { project } from '../../../shared/packaging/project.ts';
import { command } from '../../../shared/system/command.ts';
import { stackImages } from '../../rig/stack/images.ts';
import type { BoardImages } from '../board/board.ts';
import { digestOf, oneAtATime } from '../images/images.ts';
import { makeRelease } from '../images/releases.ts';
import { composeFileOf, composePath } from './compose.ts';
import { makeStackFactory } from './factory.ts';

/** The card and the bundles of a board with the real stack, beside those of the small one. Needs root. */
export interface StackBoardImages extends BoardImages {
  /** What `startRegistry` begins with. */
  registry: string;
}

const sources = [
  'hooks',
  'shared',
  'bundle-skeleton',
  'test/lab/overlay',
  'test/lab/images',
  'test/lab/stack',
  'test/rig/stack',
  'package-lock.json',
];
const toolMs = 10 * 60_000;
/** Docker, PostgreSQL and Python beside the system. */
const memoryMiB = 2048;
const releases = ['1.1.0', '1.2.0'] as const;

let made: Promise<StackBoardImages> | undefined;

export function stackBoardImages(): Promise<StackBoardImages> {
  made ??= findImages();
  return made;
}

async function findImages(): Promise<StackBoardImages> {
  const folder = join(project.cache, 'lab-stack', digestOf(sources));
  const images = { card: join(folder, 'card.img'), bundles: join(folder, 'bundles.img'), memoryMiB };
  const registry = await stackImages(undefined, 'arm64');
  if (!existsSync(images.bundles))
    await oneAtATime(async () => {
      if (!existsSync(images.bundles)) await makeImages(folder, images);
    });
  return { ...images, registry };
}

async function makeImages(folder: string, images: BoardImages): Promise<void> {
  rmSync(join(project.cache, 'lab-stack'), { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const rootfs = join(folder, 'rootfs.ext4');
  const programs = join(folder, 'programs');
  const keys = findKeys(join(folder, 'keys')) ?? (await createKeys(join(folder, 'keys')));
  await compilePrograms(programs, { architecture: 'arm64' });
  await makeStackFactory({ folder, rootfs, programs, keyring: keys.keyringPath, card: images.card });
  const shelf = join(folder, 'shelf');
  mkdirSync(shelf);
  for (const version of releases) {
    const release = { version, files: { [composePath]: composeFileOf(version) }, without: [] };
    await makeRelease(release, { folder, rootfs, programs, keys, shelf });
  }
  const part = `${images.bundles}.part`;
  const bytes = releases.reduce((sum, version) => sum + statSync(join(shelf, `${version}.raucb`)).size, 0);
  const make = command({ deadlineMs: toolMs });
  await make`mkfs.ext4 -q -F -m 0 -O ^has_journal -d ${shelf} ${part} ${`${Math.ceil((bytes * 1.05) / 2 ** 20) + 64}M`}`;
  rmSync(shelf, { recursive: true });
  rmSync(rootfs);
  renameSync(part, images.bundles);
}
