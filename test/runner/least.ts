import type { Run, Words } from './words.ts';

/** Where fewer tests pass in a whole run, files are no longer found: raise it now and then. */
const least: Partial<Record<Run, number>> = { quick: 3000, all: 3200, deep: 3200, live: 100, fleet: 20 };

/** How many tests must pass at least; of a part of a run one. */
export function leastOf({ run, names, without }: Pick<Words, 'run' | 'names' | 'without'>): number {
  return names.length > 0 || without.length > 0 ? 1 : (least[run] ?? 1);
}
