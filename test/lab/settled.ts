import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { command } from '../../shared/system/process/command.ts';
import { oneAtATime } from '../support/build/one-at-a-time.ts';
import { digestOf } from '../support/digest.ts';
import { Board, type BoardImages, type BoardState } from './board/board.ts';
import { writeData } from './board/data.ts';
import { steadyProcessors } from './board/processors.ts';
import { waitForVerdict } from './board/update.ts';
import { labImages } from './images/images.ts';

/** Another machine, or another way to talk to it: the memory of one is of no use to the other. */
const sources = ['test/lab/board', 'test/lab/settled.ts'];

/** A board of the factory that has proved healthy, with a person's data on it: where stories begin. */
export async function settledBoard(images?: BoardImages): Promise<Board> {
  const own = images ?? (await labImages());
  return await Board.resume(own, await settledState(own));
}

/** Made once. */
export async function settledState(images: BoardImages): Promise<BoardState> {
  return await savedState(images, async (board) => {
    await waitForVerdict(board);
    await writeData(board);
  });
}

/** A board of the factory after its first good boot; made once, beside its card. */
export async function savedState(
  images: BoardImages,
  live: (board: Board) => Promise<void>,
): Promise<BoardState> {
  const { stdout: emulator } = await command({ deadlineMs: 30_000 })`qemu-system-aarch64 --version`;
  const { memoryMiB = 0, processors = steadyProcessors } = images;
  const made = digestOf(sources, JSON.stringify({ emulator, memoryMiB, processors }));
  const folder = join(dirname(images.card), `settled-${made}`);
  const note = join(folder, 'state.json');
  await oneAtATime({ what: 'the lab' }, async () => {
    if (existsSync(note)) return;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    await using board = await Board.withCard(images);
    await board.powerOn();
    await board.nextBoot();
    await live(board);
    writeFileSync(note, JSON.stringify(await board.save(folder)));
  });
  return JSON.parse(readFileSync(note, 'utf8')) as BoardState; // we wrote it
}
