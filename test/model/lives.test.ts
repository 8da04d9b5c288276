import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { compilePrograms } from '../../shared/packaging/compile.ts';
import { thisArchitecture } from '../support/this-architecture.ts';
import { type Cut, type Happening, Life } from './life.ts';
import { eachOf } from './pool.ts';

/**
 * Random lives of a device: installs of good and bad versions, reboots, kills, power cuts, slots that give out, what
 * operators do. Each ends well once nothing disturbs it any more. The same lives in every run, so that a change is
 * judged by the change; `HOMIE_LIVES` and `HOMIE_SEED` are for long runs, and other lives.
 */

const livesInAll = Number(process.env['HOMIE_LIVES'] ?? 500);
const seed = Number(process.env['HOMIE_SEED'] ?? 1);
const atOnce = 12;
const longestMs = 1_500_000;

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
  happenings: fc.array(happening, { minLength: 2, maxLength: 7 }),
});

let folder: string;
let programs: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'homie-lives-'));
  programs = join(folder, 'programs');
  await compilePrograms(programs, { architecture: thisArchitecture, hasFaultPoints: true });
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a device', () => {
  test(
    `lives through whatever happens, in ${livesInAll} lives (seed ${seed})`,
    async () => {
      const runs = Math.ceil(livesInAll / atOnce);
      const seeds = Array.from({ length: atOnce }, (_, index) => seed + index);
      const failures = await eachOf(seeds, atOnce, async (one) => {
        const property = fc.asyncProperty(life, async ({ migrateIn, happenings }) => {
          await using device = new Life(programs, migrateIn);
          await device.live(happenings);
        });
        const details = await fc.check(property, {
          numRuns: runs,
          seed: one,
          interruptAfterTimeLimit: longestMs,
        });
        if (details.interrupted) return `only ${details.numRuns} of ${runs} lives within the time`;
        return details.failed ? `${fc.defaultReportMessage(details)}\n${details.errorInstance}` : undefined;
      });
      expect(failures.filter((failure) => failure !== undefined)).toEqual([]);
    },
    longestMs + 300_000,
  );
});
