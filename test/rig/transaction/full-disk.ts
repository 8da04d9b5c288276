import { rmSync, statfsSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { command } from '../../../shared/system/process/command.ts';

/** How much is left: for root alone, who may use what is kept for it; or for everybody, as in a container. */
export type Leave = { leaveKiB: number } | { leaveAllMiB: number };

/**
 * Leaves so much of the folder's file system until it is disposed of. It is filled to the brim first: ext4 keeps some
 * blocks for itself that count as free.
 */
export async function fillDisk(folder: string, leave: Leave): Promise<AsyncDisposable> {
  const filler = join(folder, 'filler');
  const { bfree, bavail, bsize } = statfsSync(folder);
  await command({ deadlineMs: 60_000, accept: 'any' })`fallocate --length ${bfree * bsize} ${filler}`;
  const { size } = statSync(filler);
  const left =
    'leaveKiB' in leave ? leave.leaveKiB * 1024 : leave.leaveAllMiB * 1024 * 1024 + (bfree - bavail) * bsize;
  truncateSync(filler, Math.max(size - left, 0));
  return {
    async [Symbol.asyncDispose]() {
      rmSync(filler, { force: true });
    },
  };
}
