import { mkdirSync } from 'node:fs';
import { command } from '../../../shared/system/process/command.ts';
import type { TempFolder } from '../temp-folder.ts';

/** A file system of so many KiB, in memory, mounted until the work has ended. */
export async function onSmallDisk(
  folder: TempFolder,
  sizeKiB: number,
  work: (disk: SmallDisk) => Promise<void> | void,
): Promise<void> {
  const path = folder.at('disk');
  const run = command({ deadlineMs: 20_000 });
  mkdirSync(path);
  await run`mount -t tmpfs -o size=${sizeKiB}k tmpfs ${path}`;
  try {
    await work({
      path,
      makeReadOnly: async () => {
        await run`mount -o remount,ro ${path}`;
      },
    });
  } finally {
    await run`umount ${path}`;
  }
}

export interface SmallDisk {
  path: string;
  makeReadOnly(): Promise<void>;
}
