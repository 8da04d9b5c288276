import { rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { command } from '../../../shared/system/command.ts';

/** Leaves so much of the folder's file system until it is disposed of. */
export async function fillDisk(folder: string, { leaveKiB }: { leaveKiB: number }): Promise<AsyncDisposable> {
  const filler = join(folder, 'filler');
  const { bfree, bsize } = statfsSync(folder);
  const bytes = bfree * bsize - leaveKiB * 1024;
  await command({ deadlineMs: 60_000, accept: 'any' })`fallocate --length ${bytes} ${filler}`;
  return {
    async [Symbol.asyncDispose]() {
      rmSync(filler, { force: true });
    },
  };
}
