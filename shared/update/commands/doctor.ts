import type { Outcome } from '../../system/exit-code.ts';
import { lockFileOf } from '../../system/places.ts';
import { lockHolder } from '../../system/process/lock.ts';
import type { Running } from '../../system/process/program.ts';
import type { Values } from '../../system/terminal/arguments.ts';
import { columns } from '../../system/terminal/columns.ts';
import { type Paint, paintFor } from '../../system/terminal/paint.ts';
import { print } from '../../system/terminal/print.ts';
import type { CheckResult } from '../doctor/check-result.ts';
import { examine } from '../doctor/examine.ts';
import { openDevice, withConfig } from '../transaction/device.ts';

const doctorMs = 300_000;

/**
 * Reports what would go wrong on this board before it does; the outcome is `failed` when a finding is bad. Only root writes the
 * canary (see boot-environment.ts), and never while an update runs.
 */
export async function tellDoctor(values: Values, running: Running): Promise<Outcome> {
  running.allow(doctorMs);
  const bare = openDevice(values, running);
  const isIdle = lockHolder(lockFileOf(bare.places)) === undefined;
  const mayWrite = process.getuid?.() === 0 && isIdle && !values.flag('dry-run');
  const findings = await examine(withConfig(bare), { now: new Date(), mayWrite });
  print(1, values.flag('json') ? doctorJson(findings) : doctorText(findings, paintFor(1)));
  return findings.some(({ level }) => level === 'bad') ? 'failed' : 'done';
}

function doctorJson(findings: readonly CheckResult[]): string {
  const isWell = findings.every(({ level }) => level !== 'bad');
  return `${JSON.stringify({ format: 1, isWell, findings }, undefined, 2)}\n`;
}

function doctorText(findings: readonly CheckResult[], paint: Paint): string {
  const colours = { ok: paint.good, warn: paint.warning, bad: paint.bad };
  const table = columns(findings.map(({ level, check, what }) => [level, check, what])).split('\n');
  const indent = ' '.repeat(table[0]?.indexOf(findings[0]?.what ?? '') ?? 0);
  const lines = findings.flatMap(({ level, todo }, index) => {
    const line = table[index] ?? '';
    const painted = `${colours[level](line.slice(0, level.length))}${line.slice(level.length)}`;
    return todo === '' ? [painted] : [painted, `${indent}→ ${todo}`];
  });
  return `${lines.join('\n')}\n`;
}
