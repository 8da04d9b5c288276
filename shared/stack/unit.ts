import { Failure, reasonOf } from '../system/failure.ts';
import { command } from '../system/process/command.ts';

/** The orchestrator's systemd unit, through systemctl(1). */

/** A stop waits for the unit's own TimeoutStopSec; systemd's default is 90 s. */
const stopDeadlineMs = 120_000;
const startDeadlineMs = 30_000;
const askDeadlineMs = 30_000;
/** systemctl(1), "Exit status". */
const unitNotActive = 3;
const unitNotThere = 4;

/** Whether the unit runs or is starting. A missing unit is not active; that is fine on a first install. */
export async function isUnitActive(unit: string, signal?: AbortSignal): Promise<boolean> {
  const ask = command({ deadlineMs: askDeadlineMs, accept: [unitNotActive, unitNotThere], signal });
  try {
    const { exitCode, stdout } = await ask`systemctl is-active ${unit}`;
    // In a chroot systemctl does nothing, exits with success and prints nothing.
    if (exitCode === 0 && stdout.trim() === '')
      throw new Failure('systemctl does nothing here, this is a chroot');
    return exitCode === 0 || stdout.trim() === 'activating';
  } catch (error) {
    throw new Failure(`Cannot find out whether "${unit}" runs: ${reasonOf(error)}`, { cause: error });
  }
}

export async function stopUnit(unit: string, deadlineMs: number, signal?: AbortSignal): Promise<void> {
  try {
    await command({ deadlineMs: Math.min(deadlineMs, stopDeadlineMs), signal })`systemctl stop ${unit}`;
  } catch (error) {
    throw new Failure(`Cannot stop "${unit}": ${reasonOf(error)}`, { cause: error });
  }
}

/** Does not wait: post-activate may be ordered before the unit, and would then wait for itself. */
export async function startUnit(unit: string): Promise<void> {
  try {
    await command({ deadlineMs: startDeadlineMs })`systemctl start --no-block ${unit}`;
  } catch (error) {
    throw new Failure(`Cannot start "${unit}": ${reasonOf(error)}`, {
      cause: error,
      advice: `Run "systemctl start ${unit}"`,
    });
  }
}

/** When the dead man's switch starts the unit. */
export type DeadManWhen =
  /** After this time, even if our program still runs. */
  | { afterSeconds: number }
  /** As soon as the lock is free: the kernel frees it when we die. */
  | { whenFree: string };

/**
 * A dead man's switch: systemd starts the unit again when we no longer can (a crash, SIGKILL, out of memory). The
 * returned function disarms it.
 */
export async function armStartAgain(unit: string, when: DeadManWhen): Promise<() => Promise<void>> {
  const name = `homie-start-again-${process.pid}`;
  const run = command({ deadlineMs: startDeadlineMs });
  const start = ['systemctl', 'start', '--no-block', unit];
  try {
    if ('afterSeconds' in when)
      await run`systemd-run --quiet --collect --unit=${name} --on-active=${when.afterSeconds} -- ${start}`;
    else await run`systemd-run --quiet --collect --unit=${name} -- flock --close ${when.whenFree} ${start}`;
  } catch (error) {
    throw new Failure(`Cannot set the timer that starts "${unit}" again: ${reasonOf(error)}`, {
      cause: error,
      advice: 'Without it the unit is not stopped',
    });
  }
  return async () => {
    const kind = 'afterSeconds' in when ? 'timer' : 'service';
    await command({ deadlineMs: startDeadlineMs })`systemctl stop ${`${name}.${kind}`}`;
  };
}

/** Asks systemd for a reboot, which stops everything in order. */
export async function reboot(): Promise<void> {
  try {
    await command({ deadlineMs: startDeadlineMs })`systemctl --no-block reboot`;
  } catch (error) {
    throw new Failure(`Cannot reboot: ${reasonOf(error)}`, {
      cause: error,
      advice: 'Run "systemctl reboot"',
    });
  }
}
