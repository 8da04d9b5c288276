import { command } from '../../shared/system/command.ts';

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Of the commit, so that each commit is cut elsewhere and can be cut there again; or of HOMIE_LAB_SEED. */
export async function seedOfThisRun(): Promise<number> {
  const given = process.env['HOMIE_LAB_SEED'];
  if (given !== undefined) return Number.parseInt(given, 16);
  const { stdout } = await command({ deadlineMs: 10_000 })`git rev-parse HEAD`;
  return Number.parseInt(stdout.slice(0, 8), 16);
}
