import { afterAll, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { isRoot } from '../support/privileges.ts';
import { seed } from '../support/seed.ts';
import { byTier } from '../support/tier.ts';
import { ModelPrograms } from './board/programs.ts';
import { type Cut, type Happening, Life } from './life.ts';
import { eachOf } from './pool.ts';

/**
 * Random lives of a device: installs of good and bad versions, reboots, kills, power cuts, slots that give out, what
 * operators do. Each ends well once nothing disturbs it any more. Each commit has lives of its own; `HOMIE_SEED` repeats
 * them, and `HOMIE_LIVES` says how many.
 */

const livesInAll = Number(process.env['HOMIE_LIVES'] ?? byTier({ quick: 60, all: 500, deep: 5_000 }));
/** Seeds of sequences that failed once; they run at every commit. */
const seedsThatFailed: readonly number[] = [];
const atOnce = 4;
const longestMs = byTier({ quick: 600_000, all: 1_500_000, deep: 4 * 3_600_000 });

const cut: fc.Arbitrary<Cut> = fc.record({
  after: fc.integer({ min: 1, max: 90 }),
  in: fc.constantFrom('install-check', 'pre-install', 'post-install'),
  isPower: fc.boolean(),
});
const maybeCut = fc.option(cut, { nil: undefined });
const power = fc.option(
  fc.constantFrom('before-pre-install', 'in-write', 'before-activate', 'after-activate'),
  { nil: undefined, freq: 6 },
);
const words = fc.constantFrom(
  ['rollback'],
  ['backup'],
  ['restore', '--yes'],
  ['restore', '--database-only', '--yes'],
  ['repair', '--yes'],
);

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 2, arbitrary: fc.constant({ kind: 'use' } as const) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('install' as const),
      isSick: fc.boolean(),
      migrates: fc.boolean(),
      cut: maybeCut,
      power,
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('reboot' as const), cut: maybeCut }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'give-out' } as const) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('operator' as const), words, cut: maybeCut }) },
);
const life = fc.record({
  migrateIn: fc.constantFrom('trial', 'post-install'),
  hasAll: fc.boolean(),
  happenings: fc.array(happening, { minLength: 2, maxLength: 7 }),
});

const programs = new ModelPrograms();
afterAll(() => programs[Symbol.dispose]());

describe.skipIf(!isRoot)('a device', () => {
  test(
    `survives random events, in ${livesInAll} sequences (seed ${seed})`,
    async () => {
      const seeds = Array.from({ length: atOnce }, (_, index) => seed + index);
      const each = Math.ceil(livesInAll / atOnce);
      const failures = await eachOf(seeds, atOnce, (one) => failureOf(one, each));
      expect(failures.filter((failure) => failure !== undefined)).toEqual([]);
    },
    longestMs + 300_000,
  );

  for (const one of seedsThatFailed)
    test(
      `lives through what once went wrong with the seed ${one}`,
      async () => expect(await failureOf(one, 10)).toBeUndefined(),
      longestMs,
    );
});

async function failureOf(one: number, numRuns: number): Promise<string | undefined> {
  const property = fc.asyncProperty(life, async ({ migrateIn, hasAll, happenings }) => {
    const kind = { settings: { migrate_in: migrateIn }, parts: { hasRedis: hasAll, hasImages: hasAll } };
    await using device = new Life(programs.folder, kind);
    await device.live(happenings);
  });
  const details = await fc.check(property, { numRuns, seed: one, interruptAfterTimeLimit: longestMs });
  if (details.interrupted) return `only ${details.numRuns} of ${numRuns} lives within the time`;
  return details.failed ? `${fc.defaultReportMessage(details)}\n${details.errorInstance}` : undefined;
}
