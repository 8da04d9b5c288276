import { markActive, markGood } from '../rauc/mark.ts';
import type { Slots } from '../rauc/status.ts';
import { type Health, waitForHealth } from '../stack/health.ts';
import { reboot, startUnit } from '../stack/unit.ts';
import type { Config } from '../system/config.ts';
import type { Outcome } from '../system/exit-code.ts';
import { Failure, reasonOf } from '../system/failure.ts';
import { faultPoint } from '../system/fault-point.ts';
import type { Places } from '../system/places.ts';
import type { Running } from '../system/program.ts';
import type { BootPlan } from './decide-boot.ts';
import { UpdateRecord } from './record.ts';
import { stateOf, type Transaction } from './transaction.ts';

/** The effects of decideBoot's plans. Each may be cut short at any line: the next boot's plan goes on from there. */

export interface Boot {
  places: Places;
  config: Config;
  transaction: Transaction | undefined;
  slots: Slots | undefined;
  running: Running;
}

export async function carryOut(plan: BootPlan, boot: Boot): Promise<Outcome> {
  const { log } = boot.running;
  switch (plan.kind) {
    case 'normal':
      finishLeftOver(boot);
      return await keepHealthy(boot);
    case 'pending':
      log.info('An installed update waits for its reboot, nothing to do');
      return 'rebootNeeded';
    case 'unfinished':
      closeAs(boot, 'failed', `it never got further than "${stateOf(recordOf(boot).transaction)}"`);
      return await keepHealthy(boot);
    case 'fallback':
      return await stayWithFallback(boot);
    case 'trial':
      return await tryNewVersion(boot);
    case 'finish-rollback':
      return await rollBack(recordOf(boot), plan.reason, boot);
    case 'abandon-trial':
      await reboot();
      throw new Failure('Cannot try the new version: RAUC does not answer in its slot, rebooting', {
        outcome: 'unhealthy',
      });
    case 'unknown':
      throw new Failure('Cannot tell which slot runs: RAUC does not answer or does not know', {
        advice: 'See "systemctl status rauc"; rauc.slot= belongs on the kernel command line',
      });
  }
}

/** An ordinary boot: refill the attempts once the application answers, and never before. */
async function keepHealthy({ config, running, slots }: Boot): Promise<Outcome> {
  const name = slots?.booted?.name ?? 'booted';
  const health = await askHealth(config, running);
  if (!health.isHealthy) {
    throw new Failure(`Cannot mark slot "${name}" good: the application is not healthy, ${health.reason}`, {
      outcome: 'unhealthy',
      advice: `See "journalctl -u ${config.update.unit}"`,
    });
  }
  await running.log.step('Marking', 'Marked', `slot "${name}" good`, () => markGood(running.signal));
  return 'done';
}

async function tryNewVersion(boot: Boot): Promise<Outcome> {
  const { config, running } = boot;
  const { log, signal } = running;
  const record = recordOf(boot);
  const version = record.transaction.to.version ?? 'unknown';
  record.advance('trial');
  log.info(`Trying version "${version}" in slot "${record.transaction.to.slot ?? 'unknown'}"`);
  await faultPoint('post-activate:trial-noted');

  const health = await startAndAsk(config, running);
  if (!health.isHealthy)
    return await rollBack(record, `version "${version}" is not healthy: ${health.reason}`, boot);

  await log.step('Marking', 'Marked', `slot "${record.transaction.to.slot ?? 'booted'}" good`, () =>
    markGood(signal),
  );
  await faultPoint('post-activate:marked-good');
  record.close('committed');
  log.info(`Committed version "${version}"`);
  return 'done';
}

async function startAndAsk(config: Config, running: Running): Promise<Health> {
  try {
    const { unit } = config.update;
    await running.log.step('Starting', 'Started', `"${unit}"`, () => startUnit(unit));
  } catch (error) {
    // systemd refuses to start anything once it shuts down: that is no verdict on the version.
    running.signal.throwIfAborted();
    return { isHealthy: false, reason: reasonOf(error) };
  }
  return await askHealth(config, running);
}

/** The verdict is written down first: whatever fails after it, the next boot carries it out. */
async function rollBack(record: UpdateRecord, reason: string, boot: Boot): Promise<Outcome> {
  const { log, signal } = boot.running;
  log.error(`Rolling back: ${reason}`);
  if (stateOf(record.transaction) !== 'rolled-back') record.advance('rolled-back', reason);
  await faultPoint('post-activate:rollback-noted');
  try {
    await log.step('Marking', 'Marked', 'the other slot active', () => markActive('other', signal));
    await faultPoint('post-activate:other-active');
    record.finish();
  } catch (error) {
    log.error(`${reasonOf(error)}; the bootloader falls back when the attempts of this slot have run out`);
  }
  await reboot();
  throw new Failure(`Cannot commit the update: ${reason}; rebooting into the version before it`, {
    outcome: 'rolledBack',
  });
}

/** BOOT_ORDER still names the slot that failed first; a refill alone would try it again. */
async function stayWithFallback(boot: Boot): Promise<Outcome> {
  const { log, signal } = boot.running;
  const { to } = recordOf(boot).transaction;
  const name = boot.slots?.booted?.name ?? 'booted';
  log.error(
    `Fell back to slot "${name}": version "${to.version ?? 'unknown'}" in slot "${to.slot ?? 'unknown'}" did not come up`,
  );
  await log.step('Marking', 'Marked', `slot "${name}" active`, () => markActive('booted', signal));
  closeAs(boot, 'fallen-back', 'the bootloader gave the new slot up');
  return await keepHealthy(boot);
}

async function askHealth({ update }: Config, { log, signal }: Running): Promise<Health> {
  log.info(`Waiting for "${update.healthUrl}"`);
  return await waitForHealth(update.healthUrl, update.healthDeadlineSeconds * 1000, signal);
}

/** Power failed between the verdict and its line in the history. */
function finishLeftOver(boot: Boot): void {
  if (boot.transaction?.isClosed === false) recordOf(boot).finish();
}

function closeAs(boot: Boot, state: 'failed' | 'fallen-back', reason: string): void {
  const record = recordOf(boot);
  record.close(state, reason);
  boot.running.log.warn(`The update to "${record.transaction.to.version ?? 'unknown'}" is over: ${reason}`);
}

function recordOf({ places, transaction }: Boot): UpdateRecord {
  if (transaction === undefined) throw new Error('a plan for a transaction without one'); // decideBoot forbids it
  return UpdateRecord.resume(places, transaction);
}
