import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { cpSync, linkSync, symlinkSync, truncateSync } from 'node:fs';
import { basename, join } from 'node:path';
import { lintBundle } from '../../../shared/packaging/lint/lint.ts';
import { formatFinding, hasErrors } from '../../../shared/packaging/lint/lint-finding.ts';
import { lintRules } from '../../../shared/packaging/lint/rules.ts';
import { goodBundle, goodManifest, makeExt4, TestFolder } from './bundle-folder.ts';
import { hookCases, silentHookCases } from './lint-cases/hook-cases.ts';
import { wholeBundle } from './lint-cases/lint-case.ts';
import { manifestCases } from './lint-cases/manifest-cases.ts';
import { payloadCases, silentPayloadCases } from './lint-cases/payload-cases.ts';

// A row with an optional last part would get bun's `done` callback in its place.
const lintCases = [...manifestCases, ...hookCases, ...payloadCases].map((faulty) => ({
  fault: faulty[0],
  faulty,
}));
const guideBundle = join(import.meta.dir, '../../fixtures/guide-bundle');
const shared = new TestFolder();
const image = join(shared.path, 'rootfs.ext4');
beforeAll(() => makeExt4(image));
afterAll(() => shared[Symbol.dispose]());

describe('lintBundle()', () => {
  test('finds every fault at once when given the bundle of a first reading of the manual', async () => {
    using folder = new TestFolder();
    cpSync(guideBundle, folder.path, { recursive: true });
    cpSync(image, join(folder.path, 'rootfs.ext4'));

    const findings = await lintBundle(folder.path);

    expect(findings.map(({ rule, level, file, line }) => ({ rule, level, file, line }))).toEqual([
      { rule: 'manifest-missing', level: 'error', file: 'manifest.raucm', line: undefined },
      { rule: 'unexpanded-value', level: 'error', file: 'bundle.conf', line: 6 },
      { rule: 'hooks-unnamed', level: 'error', file: 'bundle.conf', line: 15 },
      { rule: 'program-not-a-file', level: 'error', file: 'bundle.conf', line: 15 },
      { rule: 'hook-never-called', level: 'warning', file: 'update-hooks/post-activate', line: undefined },
    ]);
    const told = findings.map(formatFinding).join('\n');
    for (const advice of [
      'Give it that name',
      'let the build',
      'Add hooks=',
      '"update-hooks/hook"',
      'boot unit',
    ])
      expect(told).toContain(advice);
  });

  test('is silent when nothing is wrong', async () => {
    using folder = await goodBundle(image);
    expect(await lintBundle(folder.path)).toEqual([]);
    expect(await lintBundle(folder.path, { compression: 'xz', raucMin: '1.15' })).toEqual([]);
  });

  test.each(lintCases)('finds it when there is $fault', async ({ faulty }) => {
    const [, rules, place, spoil, options] = faulty;
    using folder = await goodBundle(image);
    await spoil(folder);

    const findings = await lintBundle(folder.path, options);

    const expected = rules.split(' ');
    const found = new Set<string>(findings.map(({ rule }) => rule));
    expect([...found].sort()).toEqual(expected.toSorted());
    const finding = findings.find(({ rule }) => rule === expected[0]);
    const line = finding?.line === undefined ? '' : `:${finding.line}`;
    const foundAt = `${finding?.level} ${finding?.file}${line}`;
    expect(foundAt).toBe(place.replace(wholeBundle, basename(folder.path)));
    expect(finding?.advice).toMatch(/^[A-Z].*[^.]$/);
    expect(finding?.message).not.toMatch(/undefined|\.$/);
  });

  test('says only that the manifest is missing when a folder is no bundle', async () => {
    using folder = new TestFolder();
    symlinkSync('/etc', join(folder.path, 'etc'));
    expect(await lintBundle(folder.path)).toMatchObject([
      { rule: 'manifest-missing', file: 'manifest.raucm' },
    ]);
  });

  test.each([...silentHookCases, ...silentPayloadCases])(
    'is silent when there is %s',
    async (_what, change) => {
      using folder = await goodBundle(image);
      await change(folder);
      expect(await lintBundle(folder.path)).toEqual([]);
    },
  );

  test('has a case for every rule', () => {
    const elsewhere = Object.keys(lintRules).filter(
      (rule) => /^(certificate|root)-/.test(rule) || ['signature-size', 'payload-damaged'].includes(rule),
    );
    const covered = new Set([
      ...lintCases.flatMap(({ faulty: [, rules] }) => rules.split(' ')),
      ...elsewhere,
    ]);
    expect(Object.keys(lintRules).filter((rule) => !covered.has(rule))).toEqual([]);
  });

  test('judges what the oldest device knows when options say so', async () => {
    using folder = await goodBundle(image);
    folder.write(
      'manifest.raucm',
      goodManifest.replace('=plain', '=verity').replace('hooks=pre', 'type=ext4\nhooks=pre'),
    );
    expect(await lintBundle(folder.path, { raucMin: '1.15' })).toEqual([]);
    expect(
      await lintBundle(folder.path, { compression: 'zstd', raucMin: '1.15', kernelMin: '4.14.0' }),
    ).toEqual([]);
  });

  test('counts a program once when it has several names', async () => {
    using folder = await goodBundle(image);
    truncateSync(folder.write('a.img', ''), 1.5 * 1024 ** 3);
    linkSync(join(folder.path, 'a.img'), join(folder.path, 'b.img'));
    expect(await lintBundle(folder.path)).toEqual([]);
  });

  test('refuses when there is no such path, it is no bundle, or an option is no version', async () => {
    using folder = new TestFolder();
    await expect(lintBundle(join(folder.path, 'none.raucb'))).rejects.toMatchObject({
      outcome: 'usage',
      message: expect.stringContaining('no such file or folder'),
    });
    await expect(lintBundle('/dev/null')).rejects.toMatchObject({ outcome: 'usage' });
    await expect(lintBundle(folder.write('page.raucb', '<html>'))).rejects.toMatchObject({
      outcome: 'failed',
      message: expect.stringContaining('does not start with a squashfs'),
    });
    await expect(lintBundle(folder.path, { raucMin: 'latest' })).rejects.toMatchObject({ outcome: 'usage' });
  });
});

describe('formatFinding()', () => {
  test('is one line when a name has line breaks and terminal codes in it', () => {
    const finding = {
      rule: 'leftover',
      level: 'error',
      file: 'a\n\x1b[2J',
      message: 'm',
      advice: 'A',
    } as const;
    expect(formatFinding(finding)).toBe('a [2J: error [leftover]: m. A.');
    expect(formatFinding({ ...finding, file: 'manifest.raucm', line: 12 })).toBe(
      'manifest.raucm:12: error [leftover]: m. A.',
    );
    expect(hasErrors([finding])).toBe(true);
    expect(hasErrors([{ ...finding, level: 'warning' }])).toBe(false);
  });
});
