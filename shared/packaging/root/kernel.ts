import { existsSync, lstatSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Failure } from '../../system/failure.ts';
import { makeFolder } from '../../system/files/durable-file.ts';
import { pathInRoot } from '../../system/files/rooted-path.ts';
import type { Board } from '../board/board.ts';
import { layOver } from './overlay.ts';

/** A board whose firmware provides the device tree runs any kernel; other boards need their own kernel. */
export function takesSuiteKernel(board: Board): boolean {
  return board.boot.deviceTree.startsWith('$');
}

/** Copies a board's BSP into the tree: `boot/`, `lib/modules/`, and all other files of the folder. Throws a usage Failure. */
export function layKernel(tree: string, folder: string): void {
  if (!existsSync(join(folder, 'boot')) || !existsSync(join(folder, 'lib', 'modules'))) {
    throw new Failure(
      `Cannot take the kernel from "${folder}": "boot" and "lib/modules" were expected in it`,
      {
        outcome: 'usage',
        advice:
          'Point --kernel to a folder with the kernel, device trees and modules of the board as they lie on it',
      },
    );
  }
  layOver(tree, folder);
}

/** Links the names that the boot script loads to the suite's kernel and initrd, which have a version in their names. */
export function linkSuiteKernel(tree: string, board: Board): void {
  const pairs: [path: string | undefined, prefix: string][] = [
    [board.boot.kernel, 'vmlinuz-'],
    [board.boot.initrd, 'initrd.img-'],
  ];
  for (const [path, prefix] of pairs) {
    if (path === undefined) continue;
    const newest = readdirSync(join(tree, 'boot'))
      .filter((name) => name.startsWith(prefix))
      .sort()
      .at(-1);
    const place = join(pathInRoot(tree, dirname(path)), basename(path));
    if (newest === undefined || isThere(place)) continue;
    makeFolder(dirname(place));
    rmSync(place, { force: true });
    symlinkSync(join('/boot', newest), place);
  }
}

/** Requires all files that the boot script loads from the slot. Throws a usage Failure that names the missing files. */
export function requireBootFiles(tree: string, board: Board): void {
  const { kernel, initrd, deviceTree } = board.boot;
  const missing = [kernel, initrd, deviceTree].filter(
    (path) => path?.startsWith('/') && !existsSync(pathInRoot(tree, path)),
  );
  if (missing.length === 0) return;
  throw new Failure(
    `Cannot make a root file system that "${board.name}" boots: ${missing.join(', ')} not in it`,
    {
      outcome: 'usage',
      advice: "Give the board's own kernel, device tree and modules with --kernel DIR",
    },
  );
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
