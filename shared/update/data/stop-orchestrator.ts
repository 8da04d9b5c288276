import { armStartAgain, type DeadManWhen, isUnitActive, startUnit, stopUnit } from '../../stack/unit.ts';
import { reasonOf } from '../../system/failure.ts';
import type { Device } from '../transaction/device.ts';

/**
 * Stops the orchestrator for a while. However the program ends, the orchestrator is started again: by the undo stack, or by
 * systemd if this program is gone by then.
 */

/**
 * `required` is for an update, which must not begin unless the orchestrator can be stopped. `if possible` is for a backup by
 * hand, where systemd may be out of reach (a chroot). `restore` is for a restore by hand: the operator can start the unit.
 */
export type Standstill = 'required' | 'if possible' | 'restore';

/** How each standstill treats a step that fails: with a warning that ends in these words; without words it throws. */
interface Tolerance {
  /** It is unknown whether the unit runs: it is neither stopped nor started. */
  ask?: string;
  arm?: string;
  /** Whether the unit is stopped although nothing would start it again if this program is killed. */
  mayStopUnarmed?: true;
  stop?: string;
  /** Whether a unit that does not run is logged. */
  saysIdle?: true;
}

const leftRunning = 'it is not stopped for the backup';

const tolerances: Record<Standstill, Tolerance> = {
  required: { saysIdle: true },
  'if possible': { ask: leftRunning, arm: leftRunning, saysIdle: true },
  restore: {
    ask: 'it is neither stopped nor started',
    arm: 'if this program is killed, start it by hand',
    mayStopUnarmed: true,
    stop: 'restart it by hand afterwards',
  },
};

const nothing = async (): Promise<void> => {};

/** Stops the orchestrator if it runs; the returned function starts it again. `stopMs` is called when the stop begins. */
export async function stopOrchestrator(
  standstill: Standstill,
  { deadMan, stopMs }: { deadMan: DeadManWhen; stopMs: () => number },
  device: Device,
): Promise<() => Promise<void>> {
  const { log, undo, signal } = device;
  const { unit } = device.config.update;
  const tolerance = tolerances[standstill];
  const warn = (error: unknown, words: string | undefined): void => {
    signal.throwIfAborted();
    if (words === undefined) throw error;
    log.warn(`${reasonOf(error)}; ${words}`);
  };

  try {
    if (!(await isUnitActive(unit, signal))) {
      if (tolerance.saysIdle) log.info(`"${unit}" does not run, nothing to stop`);
      return nothing;
    }
  } catch (error) {
    warn(error, tolerance.ask);
    return nothing;
  }
  let disarm = nothing;
  try {
    disarm = await armStartAgain(unit, deadMan);
  } catch (error) {
    warn(error, tolerance.arm);
    if (!tolerance.mayStopUnarmed) return nothing;
  }
  const start = undo.owe(`stop "${unit}"`, async () => {
    await log.step('Starting', 'Started', `"${unit}"`, () => startUnit(unit));
    // It may have started the unit by now; starting a running unit does nothing.
    await disarm().catch((error: unknown) =>
      log.warn(`Cannot cancel ${nameOf(deadMan)}: ${reasonOf(error)}`),
    );
  });
  try {
    await log.step('Stopping', 'Stopped', `"${unit}"`, () => stopUnit(unit, stopMs(), signal));
  } catch (error) {
    warn(error, tolerance.stop);
  }
  return () => start.now();
}

function nameOf(deadMan: DeadManWhen): string {
  return 'afterSeconds' in deadMan ? 'the timer' : 'the unit that starts it again';
}
