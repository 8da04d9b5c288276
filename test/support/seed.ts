import { git } from './report/commit.ts';

/**
 * Of the commit, so that each commit draws other cases and can draw them again; or `HOMIE_SEED`, a number as in
 * 7 or 0x7f. A checkout without git, as in an archive of the sources, has the seed 1.
 */
export const seed: number = seedOf(process.env['HOMIE_SEED']);

/** Throws where the word is no number: another seed than the one that was meant would be drawn from. */
export function seedOf(given: string | undefined): number {
  if (given !== undefined) {
    if (!/^(\d+|0x[\da-f]+)$/i.test(given))
      throw new Error(`Cannot test: HOMIE_SEED is "${given}", expected a number`);
    return Number(given);
  }
  const commit = git('rev-parse', 'HEAD');
  return commit === undefined ? 1 : Number.parseInt(commit.slice(0, 7), 16);
}

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
export function randomFrom(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
