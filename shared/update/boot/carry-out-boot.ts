import { markActive, markGood } from '../../rauc/mark.ts';
import type { Slots } from '../../rauc/status.ts';
import { reboot } from '../../stack/unit.ts';
import type { Outcome } from '../../system/exit-code.ts';
import { Failure } from '../../system/failure.ts';
import { restoreOwedData } from '../data/restore-owed-data.ts';
import type { Device } from '../transaction/device.ts';
import { holdNow } from '../transaction/hold.ts';
import { isVerdict, needsRestore, stateOf, type Transaction } from '../transaction/transaction.ts';
import { TransactionWriter } from '../transaction/transaction-writer.ts';
import type { LockedDevice } from '../transaction/update-lock.ts';
import type { BootPlan } from './decide-boot.ts';
import { proveHealthy } from './prove-healthy.ts';
import { mendFallbackAtBoot } from './put-fallback-back.ts';
import { forgetHold, releaseOrchestrator } from './release-orchestrator.ts';
import { rollBack } from './rollback.ts';
import { tryNewVersion } from './trial.ts';

/** Carries out the plans of decideBoot. Each may be interrupted at any line: the next boot's plan resumes from there. */

/** What this boot has found. The transaction is replaced where a verdict is written. */
export interface Boot {
  transaction: Transaction | undefined;
  readonly slots: Slots | undefined;
}

export async function carryOut(plan: BootPlan, boot: Boot, device: LockedDevice): Promise<Outcome> {
  switch (plan.kind) {
    case 'normal':
      return await goOn(boot, device);
    case 'pending':
      device.log.info('An installed update waits for its reboot, nothing to do');
      return 'rebootNeeded';
    case 'unfinished':
      return await goOn(boot, device, await problemOf(device, () => noteFailed(boot, device)));
    case 'fallback':
      return await keepSlot(boot, device, await problemOf(device, () => noteFallback(boot, device)));
    case 'stay':
      return await keepSlot(boot, device);
    case 'trial':
      return await tryNewVersion(recordOf(boot, device), boot.slots, device);
    case 'reject':
    case 'finish-rollback':
      return await rollBack(recordOf(boot, device), plan.reason, device);
    case 'go-back': {
      const record = recordOf(boot, device);
      record.advance('rolled-back', plan.reason);
      return await rollBack(record, plan.reason, device);
    }
    case 'abandon-trial':
      await reboot();
      throw new Failure('Cannot try the new version: RAUC does not answer in its slot, rebooting', {
        outcome: 'unhealthy',
      });
    case 'unknown':
      return await goOn(
        boot,
        device,
        (await problemOf(device, () => noteSilentFallback(boot, device))) ?? unknownSlot(),
      );
  }
}

/** BOOT_ORDER may still list the failed slot first; with a refill alone it would be booted again. */
async function keepSlot(boot: Boot, device: LockedDevice, problem?: unknown): Promise<Outcome> {
  const { log, signal } = device;
  const name = boot.slots?.booted?.name ?? 'booted';
  const unmarked = await problemOf(device, () =>
    log.step('Marking', 'Marked', `slot "${name}" active`, () => markActive('booted', signal)),
  );
  return await goOn(boot, device, problem ?? unmarked);
}

/**
 * Keeps the running version: restores the data that an update owes, starts the orchestrator, and marks the slot good once it is
 * healthy. With a problem the orchestrator runs all the same and the update stays open: the next boot tries again.
 */
async function goOn(boot: Boot, device: LockedDevice, problem?: unknown): Promise<Outcome> {
  const { config, places } = device;
  const open = boot.transaction?.isClosed === false ? recordOf(boot, device) : undefined;
  if (open !== undefined && needsRestore(open.transaction)) {
    // The restore stops the orchestrator, which must stay stopped if the restore fails, even if it was not held before.
    holdNow(places);
    await restoreOwedData(open, device);
  }
  // Start the orchestrator even if the transaction cannot be written.
  await releaseOrchestrator(device);
  if (hasNoFallback(boot)) await problemOf(device, () => refill(boot, device));
  const unsettled = problem ?? (await problemOf(device, () => open?.finish()));
  if (unsettled !== undefined) throw unsettled;
  forgetHold(device);
  // Unlock before the health check: an unhealthy system must still accept the update that repairs it.
  await device.lock.release();

  const name = boot.slots?.booted?.name ?? 'booted';
  const health = await proveHealthy(device);
  if (!health.isHealthy) {
    throw new Failure(`Cannot mark slot "${name}" good: the application is not healthy, ${health.reason}`, {
      outcome: 'unhealthy',
      advice: `See "journalctl -u ${config.update.unit}"`,
    });
  }
  await refill(boot, device);
  await mendFallbackAtBoot(boot.slots, device);
  return 'done';
}

/**
 * Whether the running version is committed and has migrated. The previous version does not know its schema, so the attempts of
 * this slot must not run out.
 */
function hasNoFallback({ transaction, slots }: Boot): boolean {
  if (transaction === undefined || stateOf(transaction) !== 'committed') return false;
  return transaction.migration !== undefined && transaction.to.slot === slots?.booted?.name;
}

/** Gives the running slot all its boot attempts back. */
async function refill({ slots }: Boot, { log, signal }: Device): Promise<void> {
  const name = slots?.booted?.name ?? 'booted';
  await log.step('Marking', 'Marked', `slot "${name}" good`, () => markGood(signal));
}

function noteFailed(boot: Boot, device: LockedDevice): void {
  const { transaction } = recordOf(boot, device);
  noteVerdict(boot, device, 'failed', `it never got further than "${stateOf(transaction)}"`);
}

function noteFallback(boot: Boot, device: LockedDevice): void {
  const { to } = recordOf(boot, device).transaction;
  const name = boot.slots?.booted?.name ?? 'booted';
  device.log.error(
    `Fell back to slot "${name}": version "${to.version ?? 'unknown'}" in slot "${to.slot ?? 'unknown'}" did not come up`,
  );
  noteVerdict(boot, device, 'fallen-back', 'the bootloader rejected the new slot');
}

/** Ends an update before its dump is restored: a later trial must not resume on data that was in use since. */
function noteSilentFallback(boot: Boot, device: LockedDevice): void {
  const { transaction } = boot;
  if (transaction === undefined || transaction.isClosed || !needsRestore(transaction)) return;
  if (!isVerdict(stateOf(transaction)))
    noteVerdict(boot, device, 'fallen-back', 'the version before it runs again');
}

function unknownSlot(): Failure {
  return new Failure('Cannot find out which slot runs: RAUC does not answer or does not know', {
    advice: 'See "systemctl status rauc"; rauc.slot= belongs on the kernel command line',
  });
}

/** Writes the verdict; the transaction is closed once no restore is owed. */
function noteVerdict(
  boot: Boot,
  device: LockedDevice,
  state: 'failed' | 'fallen-back',
  reason: string,
): void {
  const record = recordOf(boot, device);
  record.advance(state, reason);
  boot.transaction = record.transaction;
  device.log.warn(`The update to "${record.transaction.to.version ?? 'unknown'}" has ended: ${reason}`);
}

function recordOf({ transaction }: Boot, { lock }: LockedDevice): TransactionWriter {
  if (transaction === undefined) throw new Error('a plan for a transaction without one'); // decideBoot forbids it
  return TransactionWriter.resume(lock, transaction);
}

/** Returns the error instead of throwing it: only a problem with the data may keep the orchestrator from running. */
async function problemOf({ signal }: Device, work: () => Promise<void> | void): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return error;
  }
}
