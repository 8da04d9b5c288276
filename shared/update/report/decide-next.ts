import { otherSlot, type Slots } from '../../rauc/status.ts';
import type { ScheduledShutdown } from '../../stack/shutdown.ts';
import type { LockHolder } from '../../system/process/lock.ts';
import type { Inhibit } from '../admission/inhibit.ts';
import { reasonOfInhibit } from '../admission/inhibit.ts';
import type { BootPlan } from '../boot/decide-boot.ts';
import type { Progress } from '../install/progress.ts';
import { type WindowStanding, wordsOfWindow } from '../schedule/schedule.ts';
import { lastStep, needsRestore, stateOf, type Transaction } from '../transaction/transaction.ts';

/** The facts that decide what this device does next by itself. */
export interface NextFacts {
  transaction: Transaction | undefined;
  /** The transaction is there, but damaged. */
  isUnreadable: boolean;
  /** And it says that data has to be restored. */
  owesUnread: boolean;
  /** How post-activate would treat this boot. */
  plan: BootPlan['kind'];
  slots: Slots | undefined;
  holder: LockHolder | undefined;
  progress: Progress | undefined;
  scheduled: ScheduledShutdown | undefined;
  window: WindowStanding;
  inhibit: Inhibit;
}

/** Says in sentences what happens next: the first is about the current update, the last about the next update. */
export function decideNext(facts: NextFacts): string[] {
  return [...ofUpdate(facts), ...ofReboot(facts), ...ofFallback(facts), ofNextInstall(facts)];
}

function ofUpdate({ transaction, plan, holder, progress, slots }: NextFacts): string[] {
  const version = `version "${transaction?.to.version ?? 'unknown'}"`;
  const slot = `slot "${transaction?.to.slot ?? 'unknown'}"`;
  if (holder !== undefined && holder.program !== 'post-activate') {
    const what = progress === undefined || progress.pid !== holder.pid ? '' : `: ${progress.message}`;
    return [
      `${holder.program} (process ${holder.pid}) is at work${what}; it does not reboot before it is done.`,
    ];
  }
  switch (plan) {
    case 'normal':
      return [`Nothing is under way: slot "${slots?.booted?.name ?? 'unknown'}" stays.`];
    case 'pending':
      return ofPending(transaction, version, slot);
    case 'trial':
      return [
        `${capital(version)} is on trial: post-activate commits it once it is healthy, else it goes back to the version before it, with its data.`,
        `Each unexpected reboot during the trial uses one boot attempt; when none is left, the bootloader falls back.`,
      ];
    case 'reject':
      return [
        `Another version than ${version} runs in ${slot}: post-activate rolls back to the version before it, with its data.`,
      ];
    case 'fallback':
      return [`${capital(version)} did not come up: post-activate closes the update and keeps this slot.`];
    case 'unfinished':
      return [`The update to ${version} never finished: post-activate closes it, this slot stays.`];
    case 'stay':
      return [`The update to ${version} was rejected: post-activate closes it, this slot stays.`];
    case 'finish-rollback':
      return [`The rollback from ${version} is decided, a reboot carries it out.`];
    case 'go-back':
      return [
        `The bootloader started ${version} again, which was rejected: post-activate gives the version before it its boot attempts back, and reboots into it.`,
      ];
    case 'abandon-trial':
      return [
        `RAUC does not answer in the new slot: it reboots until its attempts are used up, then the bootloader falls back.`,
      ];
    case 'unknown':
      return [
        'The running slot is unknown: nothing is marked, and nothing is installed. See update.sh doctor.',
      ];
  }
}

function ofPending(transaction: Transaction | undefined, version: string, slot: string): string[] {
  if (transaction === undefined) return [];
  if (stateOf(transaction) !== 'installed')
    return [
      `The update to ${version} is "${lastStep(transaction).state}", but no program is working on it: update.sh repair closes it, and so does the next boot.`,
    ];
  return [
    `The next boot tries ${version} in ${slot}: it is committed once it is healthy, else the device goes back by itself.`,
    'update.sh cancel keeps the version that runs.',
  ];
}

function ofReboot({ scheduled, plan, transaction }: NextFacts): string[] {
  if (scheduled !== undefined)
    return [
      `A ${scheduled.mode} is scheduled for ${scheduled.at.toISOString()} (update.sh cancel, or shutdown -c).`,
    ];
  const isWaiting = plan === 'pending' && transaction !== undefined && stateOf(transaction) === 'installed';
  return isWaiting || plan === 'finish-rollback' ? ['No reboot is scheduled: systemctl reboot.'] : [];
}

function ofFallback({ slots, plan }: NextFacts): string[] {
  if (slots?.booted === undefined || (plan !== 'normal' && plan !== 'stay')) return [];
  const other = otherSlot(slots);
  if (other === undefined) return [];
  if (slots.primary !== undefined && slots.primary !== slots.booted)
    return [`The next boot goes to slot "${slots.primary.name}", which is the primary one.`];
  if (other.bootStatus === 'unknown')
    return [
      `It is unknown whether slot "${other.name}" is a fallback: RAUC cannot read the bootloader's environment. See update.sh doctor.`,
    ];
  return [
    other.bootStatus === 'good'
      ? `If this slot fails to boot, the bootloader falls back to slot "${other.name}".`
      : `There is no fallback: slot "${other.name}" is out of the boot order. update.sh repair puts it back if it is whole; else the next install fills it.`,
  ];
}

function ofNextInstall({ inhibit, window, transaction, plan, isUnreadable, owesUnread }: NextFacts): string {
  if (owesUnread)
    return 'Updates are refused until the data that the last one has changed is restored, by the version in the other slot.';
  if (isUnreadable)
    return 'The last update cannot be read: update.sh repair sets its file aside, and so does the next install.';
  const owes = transaction?.isClosed === false && needsRestore(transaction);
  if (owes && plan !== 'trial' && plan !== 'pending')
    return 'Updates are refused until the data that this one has changed is restored: the next boot restores it.';
  const reason = reasonOfInhibit(inhibit);
  if (reason !== undefined)
    return `Updates are inhibited by the file update/inhibit${reason === '' ? '' : `: ${reason}`}.`;
  return `${capital(wordsOfWindow(window))}.`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
