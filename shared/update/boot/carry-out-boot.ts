import { markActive, markGood } from '../../rauc/mark.ts';
import { reboot } from '../../stack/unit.ts';
import type { Outcome } from '../../system/exit-code.ts';
import { Failure } from '../../system/failure.ts';
import { restoreOwedData } from '../data/restore-owed-data.ts';
import { holdNow } from '../transaction/hold.ts';
import { isVerdict, needsRestore, stateOf } from '../transaction/transaction.ts';
import { TransactionWriter } from '../transaction/transaction-writer.ts';
import type { BootContext } from './boot-context.ts';
import type { BootPlan } from './decide-boot.ts';
import { proveHealthy } from './prove-healthy.ts';
import { mendFallbackAtBoot } from './put-fallback-back.ts';
import { forgetHold, releaseOrchestrator } from './release-orchestrator.ts';
import { rollBack } from './rollback.ts';
import { tryNewVersion } from './trial.ts';

/** Carries out the plans of decideBoot. Each may be interrupted at any line: the next boot's plan resumes from there. */

export async function carryOut(plan: BootPlan, boot: BootContext): Promise<Outcome> {
  const { log } = boot.running;
  switch (plan.kind) {
    case 'normal':
      return await goOn(boot);
    case 'pending':
      log.info('An installed update waits for its reboot, nothing to do');
      return 'rebootNeeded';
    case 'unfinished':
      return await goOn(boot, await problemOf(boot, () => noteFailed(boot)));
    case 'fallback':
      return await keepSlot(boot, await problemOf(boot, () => noteFallback(boot)));
    case 'stay':
      return await keepSlot(boot);
    case 'trial':
      return await tryNewVersion(recordOf(boot), boot);
    case 'finish-rollback':
      return await rollBack(recordOf(boot), plan.reason, boot);
    case 'go-back': {
      const record = recordOf(boot);
      record.advance('rolled-back', plan.reason);
      return await rollBack(record, plan.reason, boot);
    }
    case 'abandon-trial':
      await reboot();
      throw new Failure('Cannot try the new version: RAUC does not answer in its slot, rebooting', {
        outcome: 'unhealthy',
      });
    case 'unknown':
      return await goOn(boot, (await problemOf(boot, () => noteSilentFallback(boot))) ?? unknownSlot());
  }
}

/** BOOT_ORDER may still list the failed slot first; with a refill alone it would be booted again. */
async function keepSlot(boot: BootContext, problem?: unknown): Promise<Outcome> {
  const { log, signal } = boot.running;
  const name = boot.slots?.booted?.name ?? 'booted';
  const unmarked = await problemOf(boot, () =>
    log.step('Marking', 'Marked', `slot "${name}" active`, () => markActive('booted', signal)),
  );
  return await goOn(boot, problem ?? unmarked);
}

/**
 * Keeps the running version: restores the data that an update owes, starts the orchestrator, and marks the slot good once it is
 * healthy. With a problem the orchestrator runs all the same and the update stays open: the next boot tries again.
 */
async function goOn(boot: BootContext, problem?: unknown): Promise<Outcome> {
  const { config, places } = boot;
  const open = boot.transaction?.isClosed === false ? recordOf(boot) : undefined;
  if (open !== undefined && needsRestore(open.transaction)) {
    // The restore stops the orchestrator, which must stay stopped if the restore fails, even if it was not held before.
    holdNow(places);
    await restoreOwedData(open, boot);
  }
  // Start the orchestrator even if the transaction cannot be written.
  await releaseOrchestrator(boot);
  if (hasNoFallback(boot)) await problemOf(boot, () => refill(boot));
  const unsettled = problem ?? (await problemOf(boot, () => open?.finish()));
  if (unsettled !== undefined) throw unsettled;
  forgetHold(boot);
  // Unlock before the health check: an unhealthy system must still accept the update that repairs it.
  await boot.unlock?.();

  const name = boot.slots?.booted?.name ?? 'booted';
  const health = await proveHealthy(boot);
  if (!health.isHealthy) {
    throw new Failure(`Cannot mark slot "${name}" good: the application is not healthy, ${health.reason}`, {
      outcome: 'unhealthy',
      advice: `See "journalctl -u ${config.update.unit}"`,
    });
  }
  await refill(boot);
  await mendFallbackAtBoot(boot);
  return 'done';
}

/**
 * Whether the running version is committed and has migrated. The previous version does not know its schema, so the attempts of
 * this slot must not run out.
 */
function hasNoFallback({ transaction, slots }: BootContext): boolean {
  if (transaction === undefined || stateOf(transaction) !== 'committed') return false;
  return transaction.migration !== undefined && transaction.to.slot === slots?.booted?.name;
}

/** Gives the running slot all its boot attempts back. */
async function refill({ slots, running: { log, signal } }: BootContext): Promise<void> {
  const name = slots?.booted?.name ?? 'booted';
  await log.step('Marking', 'Marked', `slot "${name}" good`, () => markGood(signal));
}

function noteFailed(boot: BootContext): void {
  noteVerdict(boot, 'failed', `it never got further than "${stateOf(recordOf(boot).transaction)}"`);
}

function noteFallback(boot: BootContext): void {
  const { to } = recordOf(boot).transaction;
  const name = boot.slots?.booted?.name ?? 'booted';
  boot.running.log.error(
    `Fell back to slot "${name}": version "${to.version ?? 'unknown'}" in slot "${to.slot ?? 'unknown'}" did not come up`,
  );
  noteVerdict(boot, 'fallen-back', 'the bootloader gave the new slot up');
}

/** Ends an update before its dump is restored: a later trial must not resume on data that was in use since. */
function noteSilentFallback(boot: BootContext): void {
  const { transaction } = boot;
  if (transaction === undefined || transaction.isClosed || !needsRestore(transaction)) return;
  if (!isVerdict(stateOf(transaction))) noteVerdict(boot, 'fallen-back', 'the version before it runs again');
}

function unknownSlot(): Failure {
  return new Failure('Cannot tell which slot runs: RAUC does not answer or does not know', {
    advice: 'See "systemctl status rauc"; rauc.slot= belongs on the kernel command line',
  });
}

/** Writes the verdict; the transaction is closed once no restore is owed. */
function noteVerdict(boot: BootContext, state: 'failed' | 'fallen-back', reason: string): void {
  const record = recordOf(boot);
  record.advance(state, reason);
  boot.transaction = record.transaction;
  boot.running.log.warn(`The update to "${record.transaction.to.version ?? 'unknown'}" is over: ${reason}`);
}

function recordOf({ places, transaction }: BootContext): TransactionWriter {
  if (transaction === undefined) throw new Error('a plan for a transaction without one'); // decideBoot forbids it
  return TransactionWriter.resume(places, transaction);
}

/** Returns the error instead of throwing it: only a problem with the data may keep the orchestrator from running. */
async function problemOf({ running }: BootContext, work: () => Promise<void> | void): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    running.signal.throwIfAborted();
    return error;
  }
}
