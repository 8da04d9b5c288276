import type { Device } from '../transaction/device.ts';

/** The result of one check of the doctor. */
export interface CheckResult {
  check: string;
  level: 'ok' | 'warn' | 'bad';
  what: string;
  /** What to do about it; empty where all is well. */
  todo: string;
}

/** What every check may know beside the device. */
export interface Examination {
  now: Date;
  /** Whether a check may write a variable of ours into the boot environment. */
  mayWrite: boolean;
}

/** A check gathers facts and judges them; an error that it throws becomes a finding, too. */
export interface Check {
  name: string;
  run(device: Device, examination: Examination): Promise<Omit<CheckResult, 'check'>>;
}

export type Judgement = Omit<CheckResult, 'check'>;

export function ok(what: string): Judgement {
  return { level: 'ok', what, todo: '' };
}

export function warn(what: string, todo: string): Judgement {
  return { level: 'warn', what, todo };
}

export function bad(what: string, todo: string): Judgement {
  return { level: 'bad', what, todo };
}

/** The worst judgement in `found`, and of that level the first; `well` when there is none. */
export function worst(found: readonly (Judgement | undefined)[], well: Judgement): Judgement {
  const there = found.filter((one) => one !== undefined);
  return there.find(({ level }) => level === 'bad') ?? there.find(({ level }) => level === 'warn') ?? well;
}
