import type { Ended } from '../support/scene.ts';
import { exhaust } from './bootloader.ts';
import type { InstallFault, ModelBoard, RunOptions, Version } from './model-board.ts';

/** What a device lives through, up to the program that is cut, and how that is run. */
export interface Flow {
  name: string;
  /** May the new version be the one that stays? */
  mayCommit: boolean;
  /** Its program is the one of each boot. */
  isBoot?: boolean;
  /** That boot tries a new version, which has a slot to go back to. */
  isTrial?: boolean;
  settings?: Record<string, string>;
  prepare(board: ModelBoard): Promise<void>;
  run(board: ModelBoard, options: RunOptions): Promise<Ended>;
}

export const oldVersion: Version = { name: '1.0.0', head: '0001' };
export const newVersion: Version = { name: '1.1.0', head: '0002' };
const sickVersion: Version = { ...newVersion, isSick: true };

const early = { migrate_in: 'post-install' };

export const flows: readonly Flow[] = [
  installFlow('install-check'),
  installFlow('pre-install'),
  installFlow('post-install'),
  installFlow('post-install', early),
  bootFlow('a trial that is committed', true, toTrial(newVersion)),
  bootFlow('a trial of what post-install has migrated', true, toTrial(newVersion), early),
  bootFlow('a trial that is rolled back', false, toTrial(sickVersion)),
  bootFlow('a trial that is rolled back after post-install has migrated', false, toTrial(sickVersion), early),
  bootFlow('the old slot after a rollback', false, toOldSlot),
  bootFlow('a fallback that owes a restore', false, toFallbackInDebt),
  bootFlow('a fallback from a slot that never came up', false, toFallback),
  bootFlow('the boot after an install that was cut', false, toUnfinished),
  bootFlow('the boot after an install that was cut before pre-install', false, toUnnoted),
  bootFlow('a boot that puts the fallback slot back', false, toLostFallback),
  operatorFlow('rollback, of an update that waits', ['rollback'], toPending),
  operatorFlow('rollback, of an update that has migrated and waits', ['rollback'], toPending, early),
  operatorFlow('backup', ['backup'], nothing),
  operatorFlow('restore', ['restore', '--yes'], toBackedUp),
  operatorFlow('repair, of an update that owes a restore', ['repair', '--yes'], toDebt, early),
];

function installFlow(program: InstallFault, settings?: Record<string, string>): Flow {
  const when = settings === undefined ? '' : ', migrating before the reboot';
  return {
    name: `${program}${when}`,
    mayCommit: true,
    ...(settings && { settings }),
    prepare: nothing,
    run: (board, options) => board.install(newVersion, { ...options, in: program }),
  };
}

function bootFlow(
  what: string,
  mayCommit: boolean,
  prepare: Flow['prepare'],
  settings?: Record<string, string>,
): Flow {
  return {
    name: `post-activate, in ${what}`,
    mayCommit,
    isBoot: true,
    isTrial: what.startsWith('a trial'),
    ...(settings && { settings }),
    prepare,
    run: (board, options) => board.program('post-activate', [], options),
  };
}

function operatorFlow(
  what: string,
  words: string[],
  prepare: Flow['prepare'],
  settings?: Record<string, string>,
): Flow {
  return {
    name: `update.sh ${what}`,
    // Cut before it has decided, the update that waits is tried.
    mayCommit: true,
    ...(settings && { settings }),
    prepare,
    run: (board, options) => board.program('update.sh', words, options),
  };
}

async function nothing(board: ModelBoard): Promise<void> {
  board.use();
}

async function installed(board: ModelBoard, version: Version): Promise<void> {
  board.use();
  mustEnd(0, await board.install(version));
  board.use();
}

function toPending(board: ModelBoard): Promise<void> {
  return installed(board, newVersion);
}

function toTrial(version: Version): Flow['prepare'] {
  return async (board) => {
    await installed(board, version);
    board.powerOn();
  };
}

/** The restore failed in the new slot: the old one owes it. */
async function toOldSlot(board: ModelBoard): Promise<void> {
  await toTrial(sickVersion)(board);
  board.stack.fail('restore', 'pg_restore: error: the volume is gone');
  mustEnd(30, await board.program('post-activate', []));
  board.stack.mend();
  board.powerOn();
}

/** Power failed in the trial until the attempts were used up. */
async function toFallbackInDebt(board: ModelBoard): Promise<void> {
  await toTrial(newVersion)(board);
  mustEnd(137, await board.program('post-activate', [], { fault: 'kill@data:migrated' }));
  giveUpNewSlot(board);
}

async function toFallback(board: ModelBoard): Promise<void> {
  await installed(board, newVersion);
  giveUpNewSlot(board);
}

function giveUpNewSlot(board: ModelBoard): void {
  board.environment = exhaust(board.environment, 'B');
  board.powerOn();
}

async function toUnfinished(board: ModelBoard): Promise<void> {
  board.use();
  mustEnd(1, await board.install(newVersion, { in: 'post-install', fault: 'kill@post-install:written' }));
  board.powerOn();
}

async function toUnnoted(board: ModelBoard): Promise<void> {
  board.use();
  mustEnd(137, await board.install(newVersion, { power: 'before-pre-install' }));
  board.powerOn();
}

async function toLostFallback(board: ModelBoard): Promise<void> {
  board.use();
  mustEnd(1, await board.install(newVersion, { in: 'pre-install', fault: 'fail@backup:done' }));
  board.powerOn();
}

async function toBackedUp(board: ModelBoard): Promise<void> {
  board.use();
  mustEnd(0, await board.program('update.sh', ['backup']));
}

/** Killed after it had migrated, and the board goes on. */
async function toDebt(board: ModelBoard): Promise<void> {
  board.use();
  mustEnd(1, await board.install(newVersion, { in: 'post-install', fault: 'kill@data:migrated' }));
}

function mustEnd(exitCode: number, ended: Ended): void {
  if (ended.exitCode !== exitCode)
    throw new Error(`ended with ${ended.exitCode}, not ${exitCode}: ${ended.stderr}`);
}
