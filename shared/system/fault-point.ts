import { Failure } from './failure.ts';

/** Set at build time: only programs built for tests have fault points. */
declare const HOMIE_FAULT_POINTS: boolean | undefined;

/**
 * Where a test makes a program die or hang: `HOMIE_FAULT=kill@backup:stopped`, `hang@…`, `fail@…` or `crash@…`. A kill
 * is SIGKILL, as a power cut is; a hang is a call that never returns, with deadlines and signals still at work; a crash
 * is a bug that nobody catches.
 */
export async function faultPoint(name: string): Promise<void> {
  if (typeof HOMIE_FAULT_POINTS === 'undefined' || !HOMIE_FAULT_POINTS) return;
  const [kind, where] = process.env['HOMIE_FAULT']?.split('@') ?? [];
  if (where !== name) return;
  if (kind === 'kill') process.kill(process.pid, 'SIGKILL');
  if (kind === 'fail') throw new Failure(`Cannot pass "${name}"`);
  if (kind === 'crash') setImmediate(crash);
  await new Promise<never>(() => {});
}

function crash(): never {
  throw new Error('nobody catches this');
}

/** A hang is waited for by tests: `HOMIE_FAULT_DEADLINE_MS` shortens the deadline of a program that is built for them. */
export function deadlineOrFault(ms: number): number {
  if (typeof HOMIE_FAULT_POINTS === 'undefined' || !HOMIE_FAULT_POINTS) return ms;
  return Number(process.env['HOMIE_FAULT_DEADLINE_MS'] ?? ms);
}
