import semver from 'semver';
import { Failure } from '../../system/failure.ts';

export const changelogFile = 'CHANGELOG.md';

interface Section {
  /** Undefined for the section of changes that are not released yet. */
  version: string | undefined;
  isDated: boolean;
  text: string;
}

/** The sections of a changelog, as https://keepachangelog.com/en/1.1.0/ orders them: newest first. */
function sectionsOf(changelog: string): Section[] {
  return changelog
    .split(/^(?=## )/m)
    .slice(1)
    .map((part) => {
      const [head = '', ...lines] = part.split('\n');
      const name = /^## \[([^\]]+)\]/.exec(head)?.[1];
      return {
        version: name === 'Unreleased' ? undefined : name,
        isDated: / - \d{4}-\d{2}-\d{2}$/.test(head),
        text: lines.join('\n').trim(),
      };
    });
}

/** Returns why the changelog contradicts the version of the programs; undefined if they agree. */
export function changelogFault(changelog: string, version: string): string | undefined {
  const sections = sectionsOf(changelog);
  const released = sections.filter((section) => section.version !== undefined);
  const wrong = released.find((section) => semver.valid(section.version) === null || !section.isDated);
  if (wrong !== undefined) return `"${wrong.version}" is no version with a date`;
  const newest = released[0]?.version;
  if (newest === version) return undefined;
  if (newest !== undefined && semver.gt(newest, version)) return `it ends with "${newest}", which is newer`;
  const open = sections.find((section) => section.version === undefined);
  return open === undefined || open.text === '' ? `it says nothing of "${version}"` : undefined;
}

/** The release notes of a version: the text of its section. Throws a usage Failure if no section has its version and a date. */
export function releaseNotes(changelog: string, version: string): string {
  const section = sectionsOf(changelog).find((one) => one.version === version);
  if (section?.isDated && section.text !== '') return `${section.text}\n`;
  throw new Failure(`Cannot release version "${version}": ${changelogFile} has no section with its date`, {
    outcome: 'usage',
    advice: `Give what is under [Unreleased] the head "## [${version}] - YYYY-MM-DD"`,
  });
}
