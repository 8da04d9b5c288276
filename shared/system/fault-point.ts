import { appendFileSync } from 'node:fs';
import { Failure } from './failure.ts';

/** Set at build time: only programs built for tests have fault points. */
declare const HOMIE_FAULT_POINTS: boolean | undefined;

/**
 * A place where a test makes a program die or hang: `HOMIE_FAULT=kill@backup:stopped`, `hang@…`, `fail@…` or
 * `crash@…`. A kill is SIGKILL, like a power cut; a hang is a call that never returns, with deadlines and signals
 * still at work, and a line in the file of `HOMIE_STEPS`; a crash is an uncaught exception, like a bug.
 */
export async function faultPoint(name: string): Promise<void> {
  if (typeof HOMIE_FAULT_POINTS === 'undefined' || !HOMIE_FAULT_POINTS) return;
  const [kind, where] = process.env['HOMIE_FAULT']?.split('@') ?? [];
  if (where !== name) return;
  if (kind === 'kill') process.kill(process.pid, 'SIGKILL');
  if (kind === 'fail') throw new Failure(`Cannot pass "${name}"`);
  if (kind === 'crash') setImmediate(crash);
  const steps = process.env['HOMIE_STEPS'];
  if (kind === 'hang' && steps !== undefined) appendFileSync(steps, `hang ${name}\n`);
  await new Promise<never>(() => {});
}

/** How often this program has reached each step so far, and all steps together. */
const passed = new Map<string, number>();
let passedInAll = 0;

/**
 * Stands before and after each step that a power cut may interrupt: a file put in place, a child that is run. The
 * step's name and its number select one: `HOMIE_FAULT=kill@before:write hold#1`; or the number of points passed,
 * `kill@17`. `HOMIE_STEPS` names a file that gets a line for each step, in order, so that a test knows all steps.
 * With `HOMIE_STOPS=1` the program stops before and after each step, until the test has inspected the device and
 * continues it.
 */
export function stepPoint(side: 'before' | 'after', words: () => string): void {
  if (typeof HOMIE_FAULT_POINTS === 'undefined' || !HOMIE_FAULT_POINTS) return;
  const [steps, fault] = [process.env['HOMIE_STEPS'], process.env['HOMIE_FAULT']];
  if (steps === undefined && fault === undefined) return;
  const name = words()
    .replace(/\d{8}T\d{6}Z/g, 'TIME')
    .replace(/(?<=-)\d+(?=\.|\s|$)/g, 'PID');
  const count = (passed.get(name) ?? 0) + (side === 'before' ? 1 : 0);
  passed.set(name, count);
  const step = `${name}#${count}`;
  if (steps) noteStep(steps, side, step);
  passedInAll += 1;
  if (fault === `kill@${side}:${step}` || fault === `kill@${passedInAll}`)
    process.kill(process.pid, 'SIGKILL');
}

/** Makes a change that the system does whole or not at all, as one step. */
export function atStep<T>(words: () => string, change: () => T): T {
  stepPoint('before', words);
  const result = change();
  stepPoint('after', words);
  return result;
}

function noteStep(file: string, side: 'before' | 'after', step: string): void {
  if (process.env['HOMIE_STOPS'] === '1') {
    appendFileSync(file, `${process.pid} ${side} ${step}\n`);
    process.kill(process.pid, 'SIGSTOP');
  } else if (side === 'before') {
    appendFileSync(file, `${step}\n`);
  }
}

function crash(): never {
  throw new Error('no handler catches this');
}

/**
 * Tests wait for a hang: in programs built for tests `HOMIE_FAULT_DEADLINE_MS` and `HOMIE_FAULT_NOTICE_MS` shorten
 * the deadline, and the time to notice that the program is told to end.
 */
export function msOrFault(which: 'DEADLINE' | 'NOTICE', ms: number): number {
  if (typeof HOMIE_FAULT_POINTS === 'undefined' || !HOMIE_FAULT_POINTS) return ms;
  return Number(process.env[`HOMIE_FAULT_${which}_MS`] ?? ms);
}
