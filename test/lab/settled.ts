import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { command } from '../../shared/system/command.ts';
import { Board, type BoardState } from './board/board.ts';
import { waitForVerdict, writeNotes } from './board/update.ts';
import { digestOf, type LabImages, labImages, oneAtATime } from './images/images.ts';

/** Another machine, or another way to talk to it: the memory of one is of no use to the other. */
const sources = ['test/lab/board', 'test/lab/settled.ts'];

/** A board of the factory that has proved healthy, with a person's notes on it: where stories begin. */
export async function settledBoard(): Promise<Board> {
  return await Board.resume(await labImages(), await settledState());
}

/** Made once. */
export async function settledState(): Promise<BoardState> {
  const images = await labImages();
  const { stdout: emulator } = await command({ deadlineMs: 30_000 })`qemu-system-aarch64 --version`;
  const folder = join(dirname(images.card), `settled-${digestOf(sources, emulator)}`);
  const note = join(folder, 'state.json');
  await oneAtATime(async () => {
    if (!existsSync(note)) await settle(images, folder, note);
  });
  return JSON.parse(readFileSync(note, 'utf8')) as BoardState; // settle() wrote it
}

async function settle(images: LabImages, folder: string, note: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await using board = await Board.withCard(images);
  await board.powerOn();
  await board.nextBoot();
  await waitForVerdict(board);
  await writeNotes(board);
  writeFileSync(note, JSON.stringify(await board.save(folder)));
}
