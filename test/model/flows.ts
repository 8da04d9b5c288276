import type { Ended } from '../support/scene/scene.ts';
import { exhaust } from './board/bootloader.ts';
import { carryOutAction, joinFleet } from './board/fleet-action.ts';
import type { InstallFault, Kind, ModelBoard, RunOptions, Version } from './board/model-board.ts';
import { installByServer, letServe } from './board/served-job.ts';

/** What a device lives through, up to the program that is cut, and how that is run. */
export interface Flow {
  name: string;
  /** May the new version be the one that stays? */
  mayCommit: boolean;
  /** Its program is the one of each boot. */
  isBoot?: boolean;
  /** That boot tries a new version, which has a slot to go back to. */
  isTrial?: boolean;
  /** Another flow that takes each of its steps, and more: it may be left out where that is lived. */
  isPartOf?: string;
  kind: Kind;
  /** Of the program, where nothing cuts it. */
  exitCode: number;
  prepare(board: ModelBoard): Promise<void>;
  run(board: ModelBoard, options: RunOptions): Promise<Ended>;
}

export const oldVersion: Version = { name: '1.0.0', head: '0001' };
export const newVersion: Version = { name: '1.1.0', head: '0002' };
const sickVersion: Version = { ...newVersion, isSick: true };
const bareVersion: Version = { ...newVersion, isBare: true };

const early: Kind = { settings: { migrate_in: 'post-install' } };
/** Old backups expire, too. */
const whole: Kind = {
  parts: { hasRedis: true, hasImages: true },
  settings: { keep_backups: 1, timer: false },
};

const all: readonly Flow[] = [
  ...installFlows('install-check', 'pre-install', 'post-install'),
  installFlow('post-install', ', migrating before the reboot', newVersion, early),
  installFlow('post-install', ', of programs and images that are not here', bareVersion, whole),
  trialFlow('that is committed', newVersion),
  trialFlow('that is committed, with redis, images and old backups', bareVersion, whole),
  trialFlow('of what post-install has migrated', newVersion, early),
  trialFlow('that is rolled back', sickVersion),
  trialFlow('that is rolled back, with redis', sickVersion, whole),
  trialFlow('that is rolled back after post-install has migrated', sickVersion, early),
  bootFlow('the old slot after a rollback', toOldSlot),
  bootFlow('a fallback that owes a restore', toFallbackInDebt),
  bootFlow('a fallback that owes a restore, with redis', toFallbackInDebt, whole),
  bootFlow('a fallback from a slot that never came up', toFallback),
  bootFlow('the boot after an install that was cut', toUnfinished),
  bootFlow('the boot after an install that was cut before pre-install', toUnnoted),
  bootFlow('a boot that puts the fallback slot back', toLostFallback),
  bootFlow('a boot with a log that is full', toFullLog),
  operatorFlow('install, of a file', ['install', 'x.raucb', '--reboot', 'no'], toFile),
  urlFlow(),
  serveFlow(),
  ...agentFlows(),
  operatorFlow('cancel, of an update that waits', ['cancel'], toPending),
  operatorFlow('rollback, of an update that waits', ['rollback'], toPending),
  operatorFlow('rollback, of an update that has migrated and waits', ['rollback'], toPending, early),
  operatorFlow('mark-good', ['mark-good'], toFewerAttempts),
  operatorFlow('backup', ['backup'], nothing),
  operatorFlow('backup, with redis and an old one that expires', ['backup'], toBackedUp, whole),
  operatorFlow('restore', ['restore', '--yes'], toBackedUp),
  operatorFlow('restore, with redis', ['restore', '--yes'], toBackedUp, whole),
  operatorFlow('repair, of an update that owes a restore', ['repair', '--yes'], toDebt, early),
];

/** Their wholes have a redis beside the database. */
const parts: Record<string, string> = {
  'post-activate, in a trial that is committed':
    'post-activate, in a trial that is committed, with redis, images and old backups',
  'post-activate, in a trial that is rolled back':
    'post-activate, in a trial that is rolled back, with redis',
  'post-activate, in a fallback that owes a restore':
    'post-activate, in a fallback that owes a restore, with redis',
  'post-install': 'post-install, of programs and images that are not here',
  'update.sh backup': 'update.sh backup, with redis and an old one that expires',
  'update.sh restore': 'update.sh restore, with redis',
};

export const flows: readonly Flow[] = all.map((flow) => {
  const isPartOf = parts[flow.name];
  return isPartOf === undefined ? flow : { ...flow, isPartOf };
});

function installFlows(...programs: InstallFault[]): Flow[] {
  return programs.map((program) => installFlow(program, '', newVersion));
}

function installFlow(program: InstallFault, when: string, version: Version, kind: Kind = {}): Flow {
  return {
    name: `${program}${when}`,
    mayCommit: true,
    kind,
    exitCode: 0,
    prepare: nothing,
    run: (board, options) => board.install(version, { ...options, in: program }),
  };
}

function trialFlow(what: string, version: Version, kind: Kind = {}): Flow {
  const mayCommit = version.isSick !== true;
  return {
    ...bootFlow(`a trial ${what}`, toTrial(version), kind),
    mayCommit,
    isTrial: true,
    exitCode: mayCommit ? 0 : 30,
  };
}

function bootFlow(what: string, prepare: Flow['prepare'], kind: Kind = {}): Flow {
  return {
    name: `post-activate, in ${what}`,
    mayCommit: false,
    isBoot: true,
    kind,
    exitCode: 0,
    prepare,
    run: (board, options) => board.program('post-activate', [], options),
  };
}

function operatorFlow(what: string, words: string[], prepare: Flow['prepare'], kind: Kind = {}): Flow {
  return {
    name: `update.sh ${what}`,
    // Cut before it has decided, the update that waits is tried.
    mayCommit: true,
    kind,
    exitCode: what.startsWith('install') ? 4 : 0,
    prepare,
    run: (board, options) => board.program('update.sh', words, options),
  };
}

function urlFlow(): Flow {
  const flow = operatorFlow('install, of a URL', [], toFile);
  return {
    ...flow,
    run: (board, options) =>
      board.program('update.sh', ['install', board.shelfUrl('x.raucb'), '--reboot', 'no'], options),
  };
}

function serveFlow(): Flow {
  const prepare = async (board: ModelBoard): Promise<void> => {
    await toFile(board);
    letServe(board);
  };
  // Its job ends as any install does.
  return { ...operatorFlow('serve, in mid-job', [], prepare), exitCode: 4, run: installByServer };
}

/** One that begins, and one that has rebooted into the new version. */
function agentFlows(): Flow[] {
  const run: Flow['run'] = (board, options) => carryOutAction(board, newVersion, options);
  const prepare = async (board: ModelBoard): Promise<void> => {
    await toFile(board);
    joinFleet(board);
  };
  const reboot = async (board: ModelBoard): Promise<void> => {
    await prepare(board);
    mustEnd(4, await run(board, {}));
    board.powerOn();
    mustEnd(0, await board.program('post-activate', []));
  };
  return [
    { ...operatorFlow('agent, in mid-action', [], prepare), exitCode: 4, run },
    { ...operatorFlow('agent, that reports what the reboot has proved', [], reboot), run },
  ];
}

async function nothing(board: ModelBoard): Promise<void> {
  board.use();
}

async function toFile(board: ModelBoard): Promise<void> {
  board.use();
  board.offer(newVersion);
}

/** It was tried once already; the attempts are full again after that. */
async function toFewerAttempts(board: ModelBoard): Promise<void> {
  board.use();
  board.powerOn();
}

/** A line more, and it is begun anew. */
async function toFullLog(board: ModelBoard): Promise<void> {
  board.use();
  for (const name of ['update.log', 'update.log.1', 'update.log.2'])
    board.write(`data/logs/${name}`, `${name}\n${'x'.repeat(1024)}\n`.repeat(1024));
  board.powerOn();
}

async function installed(board: ModelBoard, version: Version): Promise<void> {
  board.use();
  // Of a version that is no longer needed.
  board.stack.bring('core:0000');
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

/** What is written after the backup may go with a restore. */
async function toBackedUp(board: ModelBoard): Promise<void> {
  board.use();
  mustEnd(0, await board.program('update.sh', ['backup']));
  board.scribble();
}

/** Killed after the migration, and the board continues. */
async function toDebt(board: ModelBoard): Promise<void> {
  board.use();
  mustEnd(1, await board.install(newVersion, { in: 'post-install', fault: 'kill@data:migrated' }));
}

function mustEnd(exitCode: number, ended: Ended): void {
  if (ended.exitCode !== exitCode)
    throw new Error(`ended with ${ended.exitCode}, not ${exitCode}: ${ended.stderr}`);
}
