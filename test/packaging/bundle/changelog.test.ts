import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { changelogFault, changelogFile, releaseNotes } from '../../../shared/packaging/bundle/changelog.ts';
import { project } from '../../../shared/packaging/project.ts';
import { programVersion } from '../../../shared/system/version.ts';
import { failureOf } from '../../support/failure-of.ts';

const read = (path: string): string => readFileSync(join(project.root, path), 'utf8');
const head = '# Changelog\n\nOf the device.\n\n';
const open = '## [Unreleased]\n\n### Added\n\n- More.\n\n';
const released = '## [1.1.0] - 2026-11-25\n\n### Added\n\n- All.\n\n## [1.0.0] - 2026-01-01\n\n- First.\n';

describe('the version', () => {
  test('is that of package.json, in package-lock.json too', () => {
    const { version, packages } = JSON.parse(read('package-lock.json'));
    expect([version, packages[''].version]).toEqual([programVersion, programVersion]);
  });

  test('is told by CHANGELOG.md', () => {
    expect(changelogFault(read(changelogFile), programVersion)).toBeUndefined();
  });
});

describe('changelogFault()', () => {
  test.each([
    ['the version is the newest released', head + released, '1.1.0', undefined],
    ['more has come since', head + open + released, '1.1.0', undefined],
    ['the next one is being made', head + open + released, '1.2.0', undefined],
    ['nothing was ever released', head + open, '1.1.0', undefined],
    ['the next one has nothing to tell', head + released, '1.2.0', 'it says nothing of "1.2.0"'],
    [
      'the next one has an empty section',
      `${head}## [Unreleased]\n\n${released}`,
      '1.2.0',
      'it says nothing of "1.2.0"',
    ],
    ['a newer one was released', head + open + released, '1.0.9', 'it ends with "1.1.0", which is newer'],
    ['a section has no date', `${head}## [1.1.0]\n\n- All.\n`, '1.1.0', '"1.1.0" is no version with a date'],
    [
      'a section is no version',
      `${head}## [Soon] - 2026-01-01\n`,
      '1.1.0',
      '"Soon" is no version with a date',
    ],
  ])('when %s', (_when, changelog, version, fault) => {
    expect(changelogFault(changelog, version)).toBe(fault);
  });
});

describe('releaseNotes()', () => {
  test('is the section of that version alone', () => {
    expect(releaseNotes(head + open + released, '1.1.0')).toBe('### Added\n\n- All.\n');
  });

  test('refuses a version that has no dated section', async () => {
    const failure = await failureOf(() => releaseNotes(head + open, '1.1.0'));
    expect(failure.message).toBe('Cannot release version "1.1.0": CHANGELOG.md has no section with its date');
    expect(failure.outcome).toBe('usage');
  });
});
