import { stackImages } from '../../rig/stack/images.ts';
import type { BoardImages } from '../board/board.ts';
import { imagesBelow } from '../images/images.ts';
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
/** Docker, PostgreSQL and Python beside the system. */
const memoryMiB = 2048;
const releases = (['1.1.0', '1.2.0'] as const).map((version) => ({
  version,
  files: { [composePath]: composeFileOf(version) },
  without: [],
}));

let made: Promise<StackBoardImages> | undefined;

export function stackBoardImages(): Promise<StackBoardImages> {
  made ??= findImages();
  return made;
}

async function findImages(): Promise<StackBoardImages> {
  const registry = await stackImages(undefined, 'arm64');
  const images = await imagesBelow('lab-stack', sources, { makeFactory: makeStackFactory, releases });
  return { ...images, memoryMiB, registry };
}
