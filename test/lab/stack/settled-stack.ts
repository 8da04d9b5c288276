import { join } from 'node:path';
import { type Registry, startRegistry } from '../../rig/stack/registry.ts';
import { TempFolder } from '../../support/temp-folder.ts';
import { Board } from '../board/board.ts';
import { waitForVerdict } from '../board/update.ts';
import { savedState } from '../settled.ts';
import { addPerson } from './database.ts';
import { stackBoardImages } from './images.ts';

/** A board whose real stack has come up from the factory and proved healthy, with a person's rows in its database. */
export async function settledStackBoard(): Promise<Board> {
  const images = await stackBoardImages();
  const state = await savedState(images, async (board) => {
    await using _registry = await serveImages(board);
    await waitForVerdict(board);
    await addPerson(board, 'Grace Hopper');
  });
  return await Board.resume(images, state);
}

/** The registry with all images, which the board reaches by its cable. */
export async function serveImages(board: Board): Promise<AsyncDisposable> {
  const { registry: images } = await stackBoardImages();
  const cleanup = new AsyncDisposableStack();
  const folder = cleanup.use(new TempFolder());
  const registry: Registry = await startRegistry({
    folder: join(folder.path, 'registry'),
    port: board.webPort,
    images,
  });
  cleanup.use(registry);
  return cleanup;
}
