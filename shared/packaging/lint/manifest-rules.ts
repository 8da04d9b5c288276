import { valid as readVersion } from 'semver';
import type { KeyFileEntry, KeyFileGroup } from '../../rauc/key-file.ts';
import { type Bundle, entryIn, manifestName } from './bundle.ts';
import { error, type LintFinding, type Place, warning } from './lint-finding.ts';

/** Judges the manifest's text, not the meaning of its keys: readable lines, literal values, a compatible, a version. */
export function judgeManifest(bundle: Bundle): LintFinding[] {
  return [
    ...bundle.manifest.unreadable.map(({ line, text }) =>
      error(
        'unreadable-line',
        { file: bundle.manifestFile, line },
        `"${text}" is neither a [group] nor key=value nor a # comment`,
        'RAUC refuses the whole manifest: correct or remove the line',
      ),
    ),
    ...bundle.manifest.groups.flatMap((group) =>
      group.entries.flatMap((entry) => [
        ...judgeRepetition(bundle, group, entry),
        ...judgeExpansion(bundle, entry),
        ...judgeLiteral(bundle, entry),
      ]),
    ),
    ...judgeCompatible(bundle),
    ...judgeVersion(bundle),
  ];
}

/** RAUC packs nothing without a manifest. The other rules then judge `bundle.conf`, so that all faults are reported at once. */
export function judgeManifestPresence(bundle: Bundle): LintFinding[] {
  if (!bundle.isManifestMissing) return [];
  const instead = bundle.manifestFile === manifestName ? '' : `; "${bundle.manifestFile}" is ignored`;
  return [
    error(
      'manifest-missing',
      { file: manifestName },
      `there is no ${manifestName}, and RAUC reads no other file${instead}`,
      instead === ''
        ? `Write a ${manifestName} at the top of the bundle`
        : `Give it that name once the faults of "${bundle.manifestFile}" below are gone`,
    ),
  ];
}

function judgeRepetition(bundle: Bundle, group: KeyFileGroup, entry: KeyFileEntry): LintFinding[] {
  const last = group.entries.findLast(({ key }) => key === entry.key);
  if (last === undefined || last === entry) return [];
  return [
    warning(
      'duplicate-key',
      placeOf(bundle, entry),
      `"${entry.key}" is given again in line ${last.line}, and RAUC uses the last one`,
      'Keep one of them',
    ),
  ];
}

/** `$(…)`, backticks, `$NAME`, `${NAME}`, `{{NAME}}` and `@NAME@`. */
const unexpanded = /\$\(|`|\$\{|\$[A-Za-z_]|\{\{|@[A-Z][A-Z0-9_]*@/;

function judgeExpansion(bundle: Bundle, entry: KeyFileEntry): LintFinding[] {
  if (!unexpanded.test(entry.value)) return [];
  return [
    error(
      'unexpanded-value',
      placeOf(bundle, entry),
      `RAUC expands nothing: "${entry.key}" will be the text "${entry.value}"`,
      'Write the value itself, or let the build do so',
    ),
  ];
}

const freeText = ['description', 'build'];

function judgeLiteral(bundle: Bundle, entry: KeyFileEntry): LintFinding[] {
  const { key, value } = entry;
  const place = placeOf(bundle, entry);
  const line = (bundle.manifestLines[entry.line - 1] ?? '').replace(/\r$/, '');
  const findings: LintFinding[] = [];
  const report = (level: typeof error, what: string, advice: string): void => {
    findings.push(level('literal-value', place, what, advice));
  };
  if (/\\(?![sntr\\;])|\\$/.test(value))
    report(
      error,
      `"${key}" holds a backslash that is no escape, so RAUC drops the value`,
      'Write it as \\\\',
    );
  if (/^".*"$|^'.*'$/.test(value)) {
    const level = freeText.includes(key) ? warning : error;
    report(level, `the quotes in ${key}=${value} are part of the value`, 'Remove them');
  }
  if (freeText.includes(key)) return findings;
  if (/\s$/.test(line)) report(error, `the space at the end of "${key}" is part of the value`, 'Remove it');
  if (/\s#/.test(value))
    report(error, `what follows # in "${key}" is part of the value`, 'Put the comment on a line of its own');
  return findings;
}

function judgeCompatible(bundle: Bundle): LintFinding[] {
  const entry = entryIn(bundle.manifest, 'update', 'compatible');
  if (entry !== undefined && entry.value !== '') return [];
  return [
    error(
      'compatible-missing',
      updatePlace(bundle, entry),
      entry === undefined ? 'there is no compatible= in [update]' : 'compatible= is empty',
      "Name the system that the bundle is for, as in the devices' system.conf",
    ),
  ];
}

function judgeVersion(bundle: Bundle): LintFinding[] {
  const entry = entryIn(bundle.manifest, 'update', 'version');
  const advice = 'Give a version of three numbers, as in 1.1.0 or 1.2.0-rc.1';
  if (entry === undefined || entry.value === '') {
    const what = 'there is no version= in [update]: no device can tell an update from a downgrade';
    return [error('version-missing', updatePlace(bundle, entry), what, advice)];
  }
  if (/^\d/.test(entry.value) && readVersion(entry.value) !== null) return [];
  const what = `"${entry.value}" is not a semantic version: it cannot be compared with a device's`;
  return [error('version-not-semantic', placeOf(bundle, entry), what, advice)];
}

function updatePlace(bundle: Bundle, entry: KeyFileEntry | undefined): Place {
  const group = bundle.manifest.groups.find(({ name }) => name === 'update');
  return { file: bundle.manifestFile, line: entry?.line ?? group?.line };
}

function placeOf(bundle: Bundle, { line }: { line: number }): Place {
  return { file: bundle.manifestFile, line };
}
