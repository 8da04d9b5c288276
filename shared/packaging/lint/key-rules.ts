import { type KeyFileEntry, type KeyFileGroup, listOf } from '../../rauc/key-file.ts';
import {
  adaptiveMethods,
  bundleFormats,
  isBundleFormat,
  manifestGroupOf,
  manifestGroups,
} from '../../rauc/manifest-keys.ts';
import { isOlder } from '../format/dotted-version.ts';
import { type Bundle, entryIn, formatOf, isArtifact } from './bundle.ts';
import { error, type LintFinding, type Place, warning } from './lint-finding.ts';
import type { LintTarget } from './lint-target.ts';

/** An older RAUC ignores [meta.*] on a device, and 1.8 does not even pack it. */
const metaSince = '1.10';
const minVersionAbove = '1.13';

/** Judges whether each group and key is known, also to the oldest device: RAUC refuses a bundle with an unknown one. */
export function judgeKeys(bundle: Bundle, target: LintTarget): LintFinding[] {
  return [
    ...bundle.manifest.groups.flatMap((group) => [
      ...judgeGroup(bundle, target, group),
      ...group.entries.flatMap((entry) => judgeKey(bundle, target, group, entry)),
    ]),
    ...judgeValues(bundle, target),
  ];
}

function judgeGroup(bundle: Bundle, { raucMin }: LintTarget, group: KeyFileGroup): LintFinding[] {
  const known = manifestGroupOf(group.name);
  const place = placeOf(bundle, group);
  if (known === undefined) {
    const titles = manifestGroups.map(({ title }) => title).join(', ');
    return [error('unknown-group', place, `RAUC knows no group [${group.name}]`, `It knows ${titles}`)];
  }
  if (isOlder(raucMin, known.since)) return [tooNew(place, `[${group.name}]`, known.since, raucMin)];
  if (group.name.startsWith('meta.') && isOlder(raucMin, metaSince)) {
    const what = `RAUC ${raucMin} ignores [${group.name}]; it is read from ${metaSince} on`;
    return [warning('key-ignored', place, what, 'Put what a hook must know into a file in the bundle')];
  }
  return [];
}

function judgeKey(
  bundle: Bundle,
  { raucMin }: LintTarget,
  group: KeyFileGroup,
  entry: KeyFileEntry,
): LintFinding[] {
  const { keys, since } = manifestGroupOf(group.name) ?? { keys: 'any', since: '' };
  if (keys === 'any' || isOlder(raucMin, since)) return [];
  const place = placeOf(bundle, entry);
  const known = Object.hasOwn(keys, entry.key) ? keys[entry.key] : undefined;
  if (known === undefined) {
    const names = Object.keys(keys).filter(
      (key) => keys[key]?.isGenerated !== true && keys[key]?.isIgnored !== true,
    );
    const what = `RAUC knows no key "${entry.key}" in [${group.name}], and refuses the bundle`;
    return [error('unknown-key', place, what, `It knows ${names.join(', ')}`)];
  }
  if (known.isGenerated === true && bundle.packing === undefined) {
    const what = `"${entry.key}" is written by rauc bundle; newer versions refuse one that is there before`;
    return [error('generated-key', place, what, 'Remove the line, and pack from a fresh copy each time')];
  }
  if (isOlder(raucMin, known.since))
    return [tooNew(place, `"${entry.key}" in [${group.name}]`, known.since, raucMin)];
  if (known.isIgnored === true) {
    const what = `"${entry.key}" in [${group.name}] has no effect on any RAUC`;
    return [warning('key-ignored', place, what, 'Put it into [update]')];
  }
  return [];
}

function judgeValues(bundle: Bundle, target: LintTarget): LintFinding[] {
  const findings: LintFinding[] = [];
  const unknown = (entry: KeyFileEntry, known: string): void => {
    const what = `RAUC knows no ${entry.key} "${entry.value}"`;
    findings.push(error('unknown-value', placeOf(bundle, entry), what, known));
  };
  const format = entryIn(bundle.manifest, 'bundle', 'format');
  if (format !== undefined && !isBundleFormat(format.value)) {
    unknown(format, `It knows ${Object.keys(bundleFormats).join(', ')}`);
  } else if (format?.value === 'crypt') {
    const since = bundleFormats.crypt;
    if (isOlder(target.raucMin, since))
      findings.push(tooNew(placeOf(bundle, format), `format ${format.value}`, since, target.raucMin));
  }
  const minVersion = entryIn(bundle.manifest, 'update', 'min-rauc-version');
  if (minVersion !== undefined && !isOlder(minVersionAbove, minVersion.value))
    unknown(minVersion, `It takes versions above ${minVersionAbove} there`);
  for (const group of bundle.manifest.groups.filter(({ name }) => name.startsWith('image.'))) {
    const adaptive = entryIn(bundle.manifest, group.name, 'adaptive');
    const methods: readonly string[] = adaptiveMethods;
    if (adaptive !== undefined && listOf(adaptive.value).some((method) => !methods.includes(method)))
      unknown(adaptive, `It knows ${methods.join(', ')}`);
    if (isArtifact(group) && formatOf(bundle, target.bundleFormat) === 'plain') {
      const what = `RAUC takes no artifact [${group.name}] from a plain bundle`;
      findings.push(
        error('artifact-in-plain', placeOf(bundle, group), what, 'Set format=verity in [bundle]'),
      );
    }
  }
  return findings;
}

function tooNew(place: Place, what: string, since: string, raucMin: string): LintFinding {
  return error(
    'key-too-new',
    place,
    `${what} came with RAUC ${since}: a device with ${raucMin} refuses the whole bundle`,
    'Remove it, or update RAUC on all devices first',
  );
}

function placeOf(bundle: Bundle, { line }: { line: number }): Place {
  return { file: bundle.manifestFile, line };
}
