/** The meaning of each exit code, the same for every program. The README and `--help` print this same table. */
export const exitCodes = {
  done: [0, 'done'],
  failed: [1, 'failed'],
  usage: [2, 'usage error'],
  rebootNeeded: [4, 'done, reboot needed'],
  busy: [9, 'another update is running'],
  incompatible: [10, 'incompatible or older version'],
  noSpace: [11, 'not enough space'],
  signature: [12, 'signature'],
  outsideWindow: [13, 'outside the update window'],
  inhibited: [14, 'inhibited by the user'],
  unhealthy: [20, 'unhealthy'],
  tryLater: [21, 'try again later'],
  rolledBack: [30, 'rolled back'],
} as const;

export type Outcome = keyof typeof exitCodes;

export function exitCodeOf(outcome: Outcome): number {
  return exitCodes[outcome][0];
}

/** The outcome that ends a program with this exit code; undefined for a code that is not in the table. */
export function outcomeOf(exitCode: number): Outcome | undefined {
  for (const [outcome, [code]] of Object.entries(exitCodes)) {
    // Object.entries() forgets that the keys are outcomes.
    if (code === exitCode) return outcome as Outcome;
  }
  return undefined;
}

/** One line per code, for `--help`. */
export function exitCodeTable(): string {
  return Object.values(exitCodes)
    .map(([code, meaning]) => `${String(code).padStart(3)}  ${meaning}`)
    .join('\n');
}
