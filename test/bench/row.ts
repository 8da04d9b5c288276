/** One line of the table: a figure of ours, what stands beside it, and whether it is what we wanted. */
export interface Row {
  what: string;
  ours: string;
  against: string;
  /** Ours to theirs, in one run. */
  ratio: number | null;
  /** How many rounds; the figures are their medians. */
  n: number;
  goal: string | null;
  isMet: boolean | null;
  note: string | null;
}

interface RowDraft {
  what: string;
  ours: string;
  against?: string;
  ratio?: number;
  n: number;
  goal?: Goal;
  note?: string;
}

interface Goal {
  text: string;
  isMet: boolean;
}

export function row({ what, ours, against = '', ratio, n, goal, note }: RowDraft): Row {
  return {
    what,
    ours,
    against,
    ratio: ratio === undefined ? null : rounded(ratio),
    n,
    goal: goal?.text ?? null,
    isMet: goal?.isMet ?? null,
    note: note ?? null,
  };
}

/** `text` is how the bound is told, where it has a unit. */
export function atMost(value: number, most: number, text = `${most}`): Goal {
  return { text: `≤ ${text}`, isMet: value <= most };
}

export function atLeast(value: number, least: number, text = `${least}`): Goal {
  return { text: `≥ ${text}`, isMet: value >= least };
}

/** Several at once. */
export function allOf(...goals: readonly Goal[]): Goal {
  return { text: goals.map(({ text }) => text).join(', '), isMet: goals.every(({ isMet }) => isMet) };
}

export function milliseconds(seconds: number): string {
  return `${(seconds * 1000).toFixed(1)} ms`;
}

export function inSeconds(seconds: number): string {
  return `${seconds.toFixed(2)} s`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function rounded(ratio: number): number {
  return ratio < 0.1 ? Number(ratio.toFixed(3)) : Number(ratio.toFixed(2));
}
