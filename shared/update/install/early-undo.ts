import { isUnitActive, startUnit } from '../../stack/unit.ts';
import { pause } from '../../system/deadline.ts';
import { reasonOf } from '../../system/failure.ts';
import { msOrFault } from '../../system/fault-point.ts';
import { restoreFromDump } from '../data/data-steps.ts';
import { requireStack, type Stack } from '../data/stack.ts';
import { runningServices } from '../data/stack-control.ts';
import type { Device } from '../transaction/device.ts';
import { dropHold, isHeld } from '../transaction/hold.ts';
import { isVerdict, needsRestore, stateOf } from '../transaction/transaction.ts';
import type { TransactionWriter } from '../transaction/transaction-writer.ts';

/** The usual deadline of an undo would interrupt the restore of a large database; each step of it has its own deadline. */
const longestMs = 4 * 60 * 60_000;
/** Time for the running data step to end: its child process gets SIGKILL 3 s after SIGTERM. */
const settleMs = 10_000;
const stopMs = 120_000;

/**
 * If the install fails, the old version must run again: the undo restores its data, drops the hold, then starts the
 * orchestrator. It writes the verdict first: if it is interrupted after that, repair or the next boot resumes it. The
 * answer is a function that lets the old version run again where nothing was migrated.
 */
export async function oweRunningOn(
  record: TransactionWriter,
  stack: Stack,
  device: Device,
  endWork: () => Promise<void>,
): Promise<() => Promise<void>> {
  const runOn = await rememberRunning(stack, device);
  const undo = async (reason: unknown): Promise<void> => {
    if (reason === undefined) return;
    await Promise.race([endWork().catch(() => {}), pause(msOrFault('NOTICE', settleMs))]);
    if (!isVerdict(stateOf(record.transaction))) record.advance('failed', reasonOf(reason));
    if (needsRestore(record.transaction)) await restore(record, device);
    record.finish();
    await runOn();
  };
  device.undo.owe('stop the orchestrator until the reboot', undo, longestMs);
  return runOn;
}

/** Uses a signal of its own: the program's signal, once aborted, would keep every step of the restore from starting. */
async function restore(record: TransactionWriter, device: Device): Promise<void> {
  const stack = await requireStack('restore the data', device);
  const { signal } = new AbortController();
  await restoreFromDump(record, stack, { ...device, signal });
}

/**
 * Notes what runs now; the answer is a function that makes the same run again. An orchestrator that a killed run has
 * stopped counts as running. The orchestrator starts its services by itself.
 */
async function rememberRunning(stack: Stack, device: Device): Promise<() => Promise<void>> {
  const { places, config, log, signal } = device;
  const { unit } = config.update;
  const isWanted = isHeld(places) || (await isUnitActive(unit, signal));
  const before = await runningServices(stack);
  return async () => {
    dropHold(places);
    if (isWanted) return await log.step('Starting', 'Started', `"${unit}"`, () => startUnit(unit));
    const still = await requireStack('start the services again', device);
    const surplus = (await runningServices(still)).filter((name) => !before.includes(name));
    if (surplus.length > 0) await still.compose.stop(surplus, { deadlineMs: stopMs });
    if (before.length > 0) await still.compose.up(before, { noDeps: true });
  };
}
