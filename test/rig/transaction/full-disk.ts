import { rmSync, statfsSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { command } from '../../../shared/system/command.ts';

/**
 * Leaves so much of the folder's file system until it is disposed of. It is filled to the brim first: ext4 keeps some
 * blocks for itself that count as free.
 */
export async function fillDisk(folder: string, { leaveKiB }: { leaveKiB: number }): Promise<AsyncDisposable> {
  const filler = join(folder, 'filler');
  const { bfree, bsize } = statfsSync(folder);
  await command({ deadlineMs: 60_000, accept: 'any' })`fallocate --length ${bfree * bsize} ${filler}`;
  const { size } = statSync(filler);
  truncateSync(filler, Math.max(size - leaveKiB * 1024, 0));
  return {
    async [Symbol.asyncDispose]() {
      rmSync(filler, { force: true });
    },
  };
}
