/** How much is proved: what a person waits for, what CI runs, what a release asks for. Set by `test/run.ts`. */
export type Tier = 'quick' | 'all' | 'deep';

const tiers: readonly Tier[] = ['quick', 'all', 'deep'];

/** Of this run: `HOMIE_TIER`, quick where it is not set. */
export const tier: Tier = tierOf(process.env['HOMIE_TIER']);

/** Throws where the word is not a tier: a typing error would prove less than it seems. */
export function tierOf(word = 'quick'): Tier {
  const found = tiers.find((one) => one === word);
  if (found === undefined)
    throw new Error(`Cannot test: HOMIE_TIER is "${word}", expected ${tiers.join(', ')}`);
  return found;
}

/** What a test takes of its cases in this run. */
export function byTier<T>(cases: Record<Tier, T>): T {
  return cases[tier];
}
