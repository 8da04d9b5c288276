import { basename } from 'node:path';
import { Failure, reasonOf } from '../system/failure.ts';
import type { Places } from '../system/places.ts';
import { command } from '../system/process/command.ts';
import type { Log } from '../system/terminal/log.ts';
import { endFileOf, type JobKind, jobLockOf } from './job.ts';

export interface Launch {
  id: string;
  kind: JobKind;
  /** Arguments of update.sh. */
  words: readonly string[];
}

const startMs = 30_000;
/** Somebody who only asks who holds the lock has it for an instant, too. */
const lockSeconds = 5;

/**
 * Starts `update.sh` as a service of its own, out of our control group and sandbox: systemd keeps it when we end. Where
 * systemd does not answer it is a child that has left our session; then the log says so. Throws a Failure.
 */
export async function launch({ id, kind, words }: Launch, places: Places, log: Log): Promise<void> {
  const variables = variablesFor(id, places);
  // Held for as long as the job runs, and never by two.
  const underLock =
    kind === 'cancel'
      ? []
      : ['flock', '--close', '--timeout', lockSeconds, '--conflict-exit-code', 9, jobLockOf(places)];
  const line = [...underLock, ...ownCommand(), ...words].map(String);
  const options = [
    '--quiet',
    '--collect',
    `--unit=homie-${kind}-${id}`,
    ...Object.entries(variables).map(([name, value]) => `--setenv=${name}=${value}`),
  ];
  try {
    await command({ deadlineMs: startMs })`systemd-run ${options} -- ${line}`;
    return;
  } catch (error) {
    log.warn(`Cannot ask systemd: ${reasonOf(error)}. The job is a process of its own instead`);
  }
  try {
    const run = command({ deadlineMs: startMs, env: variables });
    await run`setsid --fork ${line} >/dev/null 2>&1`;
  } catch (error) {
    throw new Failure(`Cannot start the ${kind}: ${reasonOf(error)}`, { outcome: 'tryLater', cause: error });
  }
}

/** What a device does not set, and a chroot does. */
const passedOn = ['HOMIE_BOOT_ID', 'RAUC_SYSTEM_CONFIG'];

function variablesFor(id: string, places: Places): Record<string, string> {
  const given = passedOn.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return {
    HOMIE_DATA: places.data,
    HOMIE_ROOT: places.root,
    HOMIE_RUN: places.run,
    HOMIE_TRACE: endFileOf(id, places),
    ...Object.fromEntries(given),
  };
}

/** The very program that runs: compiled, it is one file under several names, and any of them takes ours. */
function ownCommand(): string[] {
  const script = process.argv[1] ?? '';
  if (!script.startsWith('/$bunfs/')) return [process.execPath, script, updateName];
  return basename(process.execPath) === updateName ? [process.execPath] : [process.execPath, updateName];
}

const updateName = 'update.sh';
