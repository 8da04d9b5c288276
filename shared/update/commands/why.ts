import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Outcome } from '../../system/exit-code.ts';
import { reasonOf } from '../../system/failure.ts';
import { logFileOf, type Places } from '../../system/places.ts';
import type { Running } from '../../system/process/program.ts';
import type { Values } from '../../system/terminal/arguments.ts';
import { type Paint, paintFor } from '../../system/terminal/paint.ts';
import { print } from '../../system/terminal/print.ts';
import { showControls } from '../../system/terminal/show-controls.ts';
import { decideNext } from '../report/decide-next.ts';
import { type DeviceStatus, gatherStatus } from '../report/device-status.ts';
import { scheduleJson, slotsJson, transactionJson, versionIn } from '../report/device-status-json.ts';
import { tailOf } from '../report/log-tail.ts';
import { openDevice, withConfig } from '../transaction/device.ts';
import { lastStep, type Transaction } from '../transaction/transaction.ts';

/** Lines of the update's log: few enough that everything fits on one screen. */
const logLines = 8;

/** Prints one screen: which slot, which version, what failed and which check, the log's tail, what happens next. */
export async function tellWhy(values: Values, running: Running): Promise<Outcome> {
  const device = withConfig(openDevice(values, running));
  const { places } = device;
  const standing = await gatherStatus(device);
  print(1, values.flag('json') ? whyJson(standing, places) : whyText(standing, places, paintFor(1)));
  return 'done';
}

function whyJson(standing: DeviceStatus, places: Places): string {
  const { slots, slotsProblem, runningVersion, transaction, anomalies } = standing;
  const why = {
    format: 1,
    version: runningVersion ?? null,
    booted: slots?.booted?.name ?? null,
    primary: slots?.primary?.name ?? null,
    slots: slotsJson(standing),
    slotsProblem: slotsProblem === undefined ? null : reasonOf(slotsProblem),
    ...transactionJson(standing),
    verdict: transaction === undefined ? null : verdictOf(transaction),
    ...scheduleJson(standing),
    anomalies,
    log: tailOf(logFileOf(places), logLines),
    stackLogs: stackLogsOf(transaction),
    next: decideNext(standing),
  };
  return `${JSON.stringify(why, undefined, 2)}\n`;
}

function whyText(standing: DeviceStatus, places: Places, paint: Paint): string {
  const { slots, slotsProblem, transaction, current, anomalies } = standing;
  const tail = tailOf(logFileOf(places), logLines).map(showControls);
  const logs = stackLogsOf(transaction);
  return [
    ...section(
      'Runs',
      [runsLine(standing), ...(slotsProblem === undefined ? [] : [`${reasonOf(slotsProblem)}.`])],
      paint,
    ),
    ...section(
      'Last update',
      current.kind === 'damaged'
        ? [current.reason]
        : transaction === undefined
          ? ['No update is recorded on this device yet.']
          : updateLines(transaction, paint),
      paint,
    ),
    ...section(
      'Warnings',
      anomalies.map(({ what }) => paint.warning(`${what}.`)),
      paint,
    ),
    ...section(`The end of ${logFileOf(places)}`, tail, paint),
    ...section('The last log lines of each service', logs, paint),
    ...section(
      slots === undefined ? 'Next, without an answer from RAUC' : 'Next',
      decideNext(standing),
      paint,
    ),
  ].join('');
}

function section(title: string, lines: readonly string[], paint: Paint): string[] {
  if (lines.length === 0) return [];
  return [`${paint.strong(title)}\n`, ...lines.map((line) => `  ${line}\n`)];
}

function runsLine({ slots, runningVersion }: DeviceStatus): string {
  const booted = slots?.booted;
  if (booted === undefined) return `version "${runningVersion ?? 'unknown'}", in an unknown slot.`;
  const version = versionIn(booted, runningVersion) ?? 'unknown';
  const primary = slots?.primary;
  const next =
    primary === booted ? 'it is the primary one' : `the next boot goes to "${primary?.name ?? 'unknown'}"`;
  return `version "${version}" in slot "${booted.name}" (${booted.bootname ?? ''}); ${next}.`;
}

function updateLines(transaction: Transaction, paint: Paint): string[] {
  const { from, to, steps } = transaction;
  const { state, reason, check } = verdictOf(transaction);
  const isBad = state === 'failed' || state === 'rolled-back' || state === 'fallen-back';
  const colour = isBad ? paint.bad : state === 'committed' ? paint.good : paint.warning;
  const way = steps.map((step) => step.state).join(' → ');
  return [
    `${from.version ?? 'unknown'} → ${to.version ?? 'unknown'}${to.slot === null ? '' : ` in slot "${to.slot}"`}: ${colour(state)} at ${lastStep(transaction).at}`,
    `steps: ${way}`,
    ...(reason === null ? [] : [`reason: ${colour(reason)}`]),
    ...(check === null ? [] : [`check: ${check}`]),
  ];
}

interface Verdict {
  state: string;
  at: string;
  reason: string | null;
  /** The health check that failed first; null when the reason is another one. */
  check: string | null;
}

function verdictOf(transaction: Transaction): Verdict {
  const { state, at, reason } = lastStep(transaction);
  return { state, at, reason: reason ?? null, check: checkIn(reason) };
}

/** Reads NAME from `version "1.1.0" is not healthy: NAME: what it said`, as the health verdict words it. */
function checkIn(reason: string | undefined): string | null {
  return /is not healthy: ([\w.-]+): /.exec(reason ?? '')?.[1] ?? null;
}

/** The files that a rollback has kept. */
function stackLogsOf(transaction: Transaction | undefined): string[] {
  const folder = transaction?.stackLogs;
  if (folder === undefined || !existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));
}
