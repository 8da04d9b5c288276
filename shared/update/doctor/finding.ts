import type { Config } from '../../config/config.ts';
import type { Places } from '../../system/places.ts';

/** What one check of the doctor says. */
export interface Finding {
  check: string;
  level: 'ok' | 'warn' | 'bad';
  what: string;
  /** What to do about it; empty where all is well. */
  todo: string;
}

/** What a check may look at. */
export interface Patient {
  places: Places;
  config: Config;
  signal: AbortSignal;
  now: Date;
  /** Whether the boot environment may be written to, with a variable of ours. */
  mayWrite: boolean;
}

/** Each gathers facts and judges them; what it throws is a finding, too. */
export interface Check {
  name: string;
  run(patient: Patient): Promise<Omit<Finding, 'check'>>;
}

export type Judgement = Omit<Finding, 'check'>;

export function ok(what: string): Judgement {
  return { level: 'ok', what, todo: '' };
}

export function warn(what: string, todo: string): Judgement {
  return { level: 'warn', what, todo };
}

export function bad(what: string, todo: string): Judgement {
  return { level: 'bad', what, todo };
}

/** The worst of what was found, the first of its level; where all is well, that. */
export function worst(found: readonly (Judgement | undefined)[], well: Judgement): Judgement {
  const there = found.filter((one) => one !== undefined);
  return there.find(({ level }) => level === 'bad') ?? there.find(({ level }) => level === 'warn') ?? well;
}
