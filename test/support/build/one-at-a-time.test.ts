import { expect, test } from 'bun:test';
import { TempFolder } from '../temp-folder.ts';
import { oneAtATime } from './one-at-a-time.ts';

test('oneAtATime() lets the second wait for the first, and says so once', async () => {
  using folder = new TempFolder();
  const told: string[] = [];
  const turn = { what: 'the images', folder: folder.path, tell: (line: string) => told.push(line) };
  const first = Promise.withResolvers<void>();
  const done: string[] = [];
  const one = oneAtATime(turn, () => first.promise.then(() => done.push('first')));
  const other = oneAtATime(turn, async () => done.push('second'));
  await expect(oneAtATime({ ...turn, deadlineMs: 0 }, async () => {})).rejects.toThrow(
    `Cannot wait for the images: process ${process.pid} holds its lock`,
  );
  expect(done).toEqual([]);
  first.resolve();
  await Promise.all([one, other]);
  expect(done).toEqual(['first', 'second']);
  expect(told).toEqual([`Waiting for the images: process ${process.pid} makes it\n`]);
});

test('oneAtATime() starts the next one when the work fails', async () => {
  using folder = new TempFolder();
  const turn = { what: 'the images', folder: folder.path };
  const failing = oneAtATime(turn, () => Promise.reject(new Error('no')));
  await expect(failing).rejects.toThrow('no');
  expect(await oneAtATime(turn, async () => 'made')).toBe('made');
});
