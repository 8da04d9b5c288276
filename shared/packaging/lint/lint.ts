import { basename } from 'node:path';
import { readCertificate } from '../format/certificate-file.ts';
import { type Bundle, inspectBundle } from './bundle.ts';
import { judgeCertificate } from './certificate-rules.ts';
import { judgeEntries } from './entry-rules.ts';
import { judgeHooks } from './hook-rules.ts';
import { judgeImages } from './image-rules.ts';
import { judgeKeys } from './key-rules.ts';
import { error, type LintFinding } from './lint-finding.ts';
import { type LintOptions, lintTargetOf } from './lint-target.ts';
import { judgeManifest, judgeManifestPresence } from './manifest-rules.ts';
import { openBundle } from './open-bundle.ts';
import { judgePayload } from './payload-rules.ts';

/**
 * Finds faults that RAUC packs or signs without a warning but that make a device fail, in a folder to be packed or in a
 * `.raucb` file. Faults of the manifest come first, by line. Throws a Failure if the path is no bundle at all.
 */
export async function lintBundle(path: string, options: LintOptions = {}): Promise<LintFinding[]> {
  const target = lintTargetOf(options);
  await using content = await openBundle(path);
  const damage = content.packing?.damage;
  if (damage !== undefined) {
    const advice = 'Copy it again, or pack and sign it again; nothing else was judged';
    return [error('payload-damaged', { file: content.name }, damage, advice)];
  }
  const bundle = await inspectBundle(content);
  // A folder given by mistake has so many other findings that the user would miss the one that says so.
  if (!bundle.hasManifestText) return judgeManifestPresence(bundle);
  const given = options.certificatePath;
  const certificatePath = given ?? content.packing?.signerCertificate;
  const certificateName = given === undefined ? `${content.name} (its signature)` : basename(given);
  const findings = [
    ...judgeManifestPresence(bundle),
    ...judgeManifest(bundle),
    ...judgeKeys(bundle, target),
    ...judgeHooks(bundle, target),
    ...judgeImages(bundle, target),
    ...judgeEntries(bundle),
    ...judgePayload(bundle, target),
    ...(certificatePath === undefined
      ? []
      : judgeCertificate(await readCertificate(certificatePath), certificateName, target.now)),
  ];
  return sortFindings(bundle, findings);
}

function sortFindings({ manifestFile }: Bundle, findings: readonly LintFinding[]): LintFinding[] {
  const rank = ({ rule, file, line }: LintFinding): number => {
    if (rule === 'manifest-missing') return -1;
    return file === manifestFile ? (line ?? 0) : Number.MAX_SAFE_INTEGER;
  };
  return findings.toSorted((left, right) => rank(left) - rank(right));
}
