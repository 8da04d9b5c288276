import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { formatBytes } from '../../system/files/disk.ts';
import { makeFolder } from '../../system/files/durable-file.ts';
import { command } from '../../system/process/command.ts';
import type { Log } from '../../system/terminal/log.ts';
import { executableName } from '../../update/slot/program-names.ts';
import { writeSlotContent } from '../../update/slot/slot-content.ts';
import type { Board } from '../board/board.ts';
import type { Architecture } from '../project.ts';
import { makeBase } from './base.ts';
import { layDeviceFiles, raucVersionIn } from './device-files.ts';
import { finishTree } from './finish.ts';
import { makeImage } from './image.ts';
import { layKernel, linkSuiteKernel, requireBootFiles, takesSuiteKernel } from './kernel.ts';
import { layOrchestrator } from './orchestrator.ts';
import { layOver } from './overlay.ts';
import { refusePrivateKeys } from './private-keys.ts';
import { packagesOf, type Suite } from './suite.ts';

export interface RootOptions {
  board: Board;
  suite: Suite;
  architecture: Architecture;
  mirror: string | undefined;
  debs: string | undefined;
  /** Packages in addition to those that every device and the guide's stack need. */
  packages: readonly string[];
  /** Whether to install Docker, python and git; a board that only tries the boot does not need them. */
  hasStack: boolean;
  kernel: string | undefined;
  orchestrator: string | undefined;
  /** A folder that is copied over all the rest, owned by root: keys for ssh, networks, the user's own units. */
  overlay: string | undefined;
  keyring: string;
  /** Folder with the compiled programs. */
  programs: string;
  version: string;
  sizeMiB: number | undefined;
  time: Date;
  isFresh: boolean;
  output: string;
  cache: string;
  log: Log;
  signal?: AbortSignal | undefined;
}

const unpackMs = 10 * 60_000;
const unit = 'homie-orchestrator';

/**
 * Makes a root file system that boots on the board, updates itself and falls back: packages, kernel, configuration, and our
 * programs where post-install would put them. Throws a Failure; then an older image of that name stays. Needs root.
 */
export async function makeRoot(options: RootOptions): Promise<void> {
  const { board, version, output, time, sizeMiB, log, signal } = options;
  const base = await makeBase({
    ...options,
    cache: join(options.cache, 'root'),
    packages: packageList(options),
  });
  makeFolder(options.cache);
  const work = mkdtempSync(join(options.cache, 'root-'));
  const tree = join(work, 'tree');
  try {
    mkdirSync(tree);
    await log.step(
      'Laying out',
      'Laid out',
      `the root file system of "${board.name}", version ${version}`,
      () => fillTree(tree, base, options),
    );
    refusePrivateKeys(tree);
    const identity = `homie root ${board.name} ${version}`;
    await log.step('Making', 'Made', `the file system "${output}"`, () =>
      makeImage(tree, { output, label: 'rootfs', identity, sizeMiB, time, work, signal }),
    );
    log.info(`  ${formatBytes(statSync(output).size)}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function packageList({ board, kernel, suite, hasStack, packages }: RootOptions): string[] {
  const hasSuiteKernel = kernel === undefined && takesSuiteKernel(board);
  return packagesOf({ suite, hasStack, hasSuiteKernel, more: packages });
}

async function fillTree(tree: string, base: string, options: RootOptions): Promise<void> {
  const { board, version, keyring, kernel, orchestrator, overlay, programs, log, signal } = options;
  const unpack = command({ deadlineMs: unpackMs, signal });
  await unpack`tar -x -p --numeric-owner --xattrs --xattrs-include=${'*'} -f ${base} -C ${tree}`;
  if (kernel === undefined) linkSuiteKernel(tree, board);
  else layKernel(tree, kernel);
  requireBootFiles(tree, board);
  await layDeviceFiles(tree, { board, keyring, raucVersion: raucVersionIn(tree) });
  if (orchestrator !== undefined) await layOrchestrator(tree, orchestrator, log, signal);
  const executable = join(programs, executableName);
  writeSlotContent(tree, { executable, version, unit, isTimerEnabled: undefined });
  mkdirSync(join(tree, 'data'), { recursive: true });
  await finishTree(tree, signal);
  if (overlay !== undefined) layOver(tree, overlay);
}
