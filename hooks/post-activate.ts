import { otherSlot, type Slots, slotsIfAnswered } from '../shared/rauc/status.ts';
import { reasonOf } from '../shared/system/failure.ts';
import { faultPoint } from '../shared/system/fault-point.ts';
import { bootId, logFileOf } from '../shared/system/places.ts';
import { warnOfBootTrouble } from '../shared/update/boot/boot-report.ts';
import { carryOut } from '../shared/update/boot/carry-out-boot.ts';
import { type BootPlan, bootAllowanceMs, decideBoot } from '../shared/update/boot/decide-boot.ts';
import { sendBack } from '../shared/update/boot/send-back.ts';
import { oweNotifications } from '../shared/update/report/notifications.ts';
import { releaseForRecovery } from '../shared/update/slot/release.ts';
import { openDevice, withConfig } from '../shared/update/transaction/device.ts';
import { readTransaction, transactionForRecovery } from '../shared/update/transaction/transaction-store.ts';
import { waitForBootLock } from '../shared/update/transaction/update-lock.ts';
import { type Hook, hookFiles, hookOptions } from './hook.ts';

/** Runs at every boot: commits or rolls back a trial, marks a healthy boot good, reports a fallback. */
export const postActivate: Hook = {
  spec: {
    name: 'post-activate',
    summary: 'at every boot: prove the system healthy, then commit it or roll it back',
    commands: [
      {
        summary: 'Find out which kind of boot this is, and bring it to its end',
        options: { data: hookOptions.data, 'dry-run': hookOptions['dry-run'] },
      },
    ],
    examples: [['$0 --dry-run', 'Say which kind of boot this is, and what would be done']],
    files: hookFiles,
    notes: 'homie-post-activate.service runs it in the booted slot. RAUC knows no such hook.',
  },
  deadlineMs: 120_000,

  async story(_command, values, running) {
    const bare = openDevice(values, running);
    const { places, log, signal } = bare;
    // A boot must not fail because of a file: one that is unreadable is logged.
    const tell = (line: string): void => log.error(line);
    const isDryRun = values.flag('dry-run');
    if (!isDryRun) log.alsoTo(logFileOf(places));
    const device = withConfig(bare, tell);
    device.allow(bootAllowanceMs(device.config.update));
    let slots: Slots | undefined;
    if (!isDryRun) oweNotifications(device, () => slots?.booted?.name);
    const lock = isDryRun ? undefined : await waitForBootLock(device);

    const current = readTransaction(places);
    if (current.kind === 'damaged' && current.owes) {
      if (lock !== undefined) return await sendBack(current.reason, device);
      log.info(
        'Would hold the orchestrator, and boot the other slot once: its version can read the transaction',
      );
      return 'done';
    }
    const transaction = transactionForRecovery(device, tell);
    slots = await slotsIfAnswered(signal, (error) => log.error(reasonOf(error)));
    const runningVersion = releaseForRecovery(places.root, tell);
    const plan = decideBoot(transaction, {
      bootId: bootId(),
      booted: slots?.booted?.name,
      raucVersion: slots?.booted?.version,
      runningVersion,
      isOtherSpent: slots !== undefined && otherSlot(slots)?.bootStatus === 'bad',
    });
    if (lock === undefined) {
      log.info(`This is a boot of the kind "${plan.kind}": ${meanings[plan.kind]}`);
      return 'done';
    }
    warnOfBootTrouble(places, log);
    await faultPoint(`post-activate:${plan.kind}`);
    return await carryOut(plan, { transaction, slots }, { ...device, lock });
  },
};

const meanings: Record<BootPlan['kind'], string> = {
  normal: 'would mark the slot good once it is healthy',
  trial: 'would commit the new version once it is healthy, else roll back',
  reject: 'would roll back, because the new slot holds another version than the one installed',
  pending: 'would do nothing, an installed update waits for its reboot',
  fallback: 'would close the update as fallen back, and keep this slot the primary one',
  unfinished: 'would close the update that never finished, then mark the slot good once it is healthy',
  stay: 'would keep this slot the primary one, and close the update that was rejected',
  'finish-rollback': 'would carry out the rollback that was decided, and reboot',
  'go-back': 'would give the version before it its boot attempts back, and reboot into it',
  'abandon-trial':
    'would reboot, because RAUC does not answer in the new slot; each reboot uses one of its attempts',
  unknown: 'would mark nothing, since the running slot is unknown; the orchestrator would start anyway',
};
