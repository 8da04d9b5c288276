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
/** How long to wait for the lock: a program that only asks who holds it takes it for an instant, too. */
const lockSeconds = 5;

/**
 * Starts `update.sh` as a service of its own, outside our control group and sandbox: systemd keeps it when we end. If
 * systemd does not answer, starts a child in a session of its own, and logs that. Throws a Failure.
 */
export async function launch({ id, kind, words }: Launch, places: Places, log: Log): Promise<void> {
  const variables = variablesFor(id, places);
  // The lock is held as long as the job runs, so that two jobs never run at once.
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
    log.warn(`Cannot ask systemd: ${reasonOf(error)}. The job runs as a separate process instead`);
  }
  try {
    const run = command({ deadlineMs: startMs, env: variables });
    await run`setsid --fork ${line} >/dev/null 2>&1`;
  } catch (error) {
    throw new Failure(`Cannot start the ${kind}: ${reasonOf(error)}`, { outcome: 'tryLater', cause: error });
  }
}

/** The variables that are set in a chroot, but not on a device. */
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

/** The command for this program. Compiled, it is one file under several names; each accepts `update.sh` as an argument. */
function ownCommand(): string[] {
  const script = process.argv[1] ?? '';
  if (!script.startsWith('/$bunfs/')) return [process.execPath, script, updateName];
  return basename(process.execPath) === updateName ? [process.execPath] : [process.execPath, updateName];
}

const updateName = 'update.sh';
