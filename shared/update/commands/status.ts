import type { Slot } from '../../rauc/status.ts';
import type { Outcome } from '../../system/exit-code.ts';
import type { Running } from '../../system/process/program.ts';
import type { Values } from '../../system/terminal/arguments.ts';
import { columns } from '../../system/terminal/columns.ts';
import { type Paint, paintFor } from '../../system/terminal/paint.ts';
import { print } from '../../system/terminal/print.ts';
import { reasonOfInhibit } from '../admission/inhibit.ts';
import type { Progress } from '../install/progress.ts';
import { type DeviceStatus, gatherStatus } from '../report/device-status.ts';
import { scheduleJson, slotsJson, transactionJson, versionIn } from '../report/device-status-json.ts';
import { wordsOfWindow } from '../schedule/schedule.ts';
import { openDevice, withConfig } from '../transaction/device.ts';
import { lastStep } from '../transaction/transaction.ts';
import type { CurrentTransaction } from '../transaction/transaction-store.ts';

export async function tellStatus(values: Values, running: Running): Promise<Outcome> {
  const standing = await gatherStatus(withConfig(openDevice(values, running)));
  const { slotsProblem } = standing;
  // During an install RAUC is busy, and users still ask for the status: report what is known without RAUC.
  if (slotsProblem !== undefined && slotsProblem.outcome !== 'busy') throw slotsProblem;
  print(
    1,
    values.flag('json')
      ? `${JSON.stringify(statusReport(standing), undefined, 2)}\n`
      : statusText(standing, paintFor(1)),
  );
  return 'done';
}

export type StatusReport = ReturnType<typeof statusReport>;

/** The content of `status --json`, also used by the API. */
export function statusReport(standing: DeviceStatus) {
  const { slots, runningVersion, progress, anomalies } = standing;
  return {
    format: 1,
    compatible: slots?.compatible ?? null,
    version: runningVersion ?? null,
    booted: slots?.booted?.name ?? null,
    primary: slots?.primary?.name ?? null,
    slots: slotsJson(standing),
    ...transactionJson(standing),
    progress: progress ?? null,
    ...scheduleJson(standing),
    anomalies,
    rauc: slots?.answer ?? null,
  };
}

function statusText(standing: DeviceStatus, paint: Paint): string {
  const { slots, current, anomalies, scheduled, inhibit, window, runningVersion } = standing;
  const rows = (slots?.all ?? []).map((slot) => [
    slot.name,
    slot.bootname ?? '',
    versionIn(slot, runningVersion) ?? 'unknown version',
    bootWord(slot),
    [slot.isBooted ? 'booted' : '', slot === slots?.primary ? 'primary' : '']
      .filter((word) => word !== '')
      .join(', '),
  ]);
  const table = columns(rows)
    .split('\n')
    .map((line, index) => (slots?.all[index]?.bootStatus === 'bad' ? paint.bad(line) : line));
  const reason = reasonOfInhibit(inhibit);
  const lines = [
    ...(slots === undefined ? ['RAUC is busy with an install, and does not report the slots.'] : table),
    transactionLine(current),
    ...progressLines(standing),
    ...(scheduled === undefined
      ? []
      : [paint.warning(`A ${scheduled.mode} is scheduled for ${scheduled.at.toISOString()}.`)]),
    ...(reason === undefined
      ? []
      : [paint.warning(`Updates are inhibited${reason === '' ? '' : `: ${reason}`}.`)]),
    ...(window.kind === 'always' ? [] : [`${capital(wordsOfWindow(window))}.`]),
    ...anomalies.map(({ what }) => paint.warning(`Warning: ${what}.`)),
  ];
  return `${lines.join('\n')}\n`;
}

function bootWord({ bootStatus }: Slot): string {
  return bootStatus === 'unknown' ? 'boot status unknown' : (bootStatus ?? '');
}

/** Only for a running install: transactionLine reports the end of a finished one. */
function progressLines({ progress, holder }: DeviceStatus): string[] {
  if (holder === undefined) return [];
  if (progress === undefined || progress.pid !== holder.pid)
    return [`At work: ${holder.program}, process ${holder.pid}.`];
  return [`At work: ${progress.phase}${percentOf(progress)}, ${progress.message}.`];
}

function percentOf({ percent }: Progress): string {
  return percent === null ? '' : ` ${percent}%`;
}

function transactionLine(current: CurrentTransaction): string {
  if (current.kind === 'none') return 'No update is recorded on this device yet.';
  if (current.kind === 'damaged') return `${current.reason}.`;
  const { state, at, reason } = lastStep(current.transaction);
  const { from, to } = current.transaction;
  const versions = `${from.version ?? 'unknown'} → ${to.version ?? 'unknown'}`;
  return `Last update ${versions}: ${state} at ${at}${reason === undefined ? '' : `, ${reason}`}.`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
