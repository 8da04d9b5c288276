import { type KeyFileGroup, listOf } from '../../rauc/key-file.ts';
import { isOlder } from '../format/dotted-version.ts';
import { readExt4 } from '../format/ext4-features.ts';
import { extensionsFor, hasExtension, isCasync, isFileSystemImage } from '../format/image-types.ts';
import { type Bundle, entryIn, imagesOf, isArtifact } from './bundle.ts';
import { resolveEntry } from './bundle-entry.ts';
import { error, type LintFinding, type Place, warning } from './lint-finding.ts';
import type { LintTarget } from './lint-target.ts';
import { judgeRoot } from './root-rules.ts';

/** Judges whether each image exists, RAUC can write it, and the device can mount it. */
export function judgeImages(bundle: Bundle, target: LintTarget): LintFinding[] {
  const images = imagesOf(bundle.manifest);
  const hasHandler = entryIn(bundle.manifest, 'handler', 'filename') !== undefined;
  if (images.length === 0 && !hasHandler) {
    const what = 'the manifest names no image: RAUC packs the bundle, and no device can install it';
    return [
      error(
        'images-none',
        { file: bundle.manifestFile },
        what,
        'Add [image.rootfs] with filename= of an image',
      ),
    ];
  }
  return images.flatMap((image) => judgeImage(bundle, target, image));
}

function judgeImage(bundle: Bundle, target: LintTarget, image: KeyFileGroup): LintFinding[] {
  const filename = entryIn(bundle.manifest, image.name, 'filename');
  const isWrittenByHook = listOf(entryIn(bundle.manifest, image.name, 'hooks')?.value).includes('install');
  const type = entryIn(bundle.manifest, image.name, 'type');
  const place = { file: bundle.manifestFile, line: filename?.line ?? image.line };
  if (filename === undefined || filename.value === '') {
    if (isWrittenByHook || type?.value === 'emptyfs') return [];
    return [
      error('image-missing', place, `[${image.name}] has no filename=`, 'Name the image file in the bundle'),
    ];
  }
  const name = filename.value;
  const resolved = resolveEntry(bundle.entries, name);
  if (resolved.kind === 'outside') {
    const what = `the image "${name}" is outside of the bundle`;
    return [error('image-outside-bundle', place, what, 'Put the file itself into the bundle')];
  }
  if (resolved.kind === 'missing') {
    const what = `the image "${name}" is not in the bundle`;
    return [error('image-missing', place, what, 'Add it, or correct the name')];
  }
  const findings: LintFinding[] = [];
  if (name.includes('/')) {
    const what = `the image "${name}" is in a folder, which RAUC refuses from 1.13 on`;
    findings.push(error('image-path', place, what, 'Put it at the top of the bundle'));
  }
  if (!isWrittenByHook && isCasync(name)) findings.push(judgeCasync(place, name));
  const isDerived = !isWrittenByHook && !isArtifact(image) && type === undefined;
  const known = extensionsFor(target.slotType, target.raucMin);
  if (isDerived && !hasExtension(name, known)) {
    const what = `RAUC cannot write "${name}" into a slot of type ${target.slotType}: RAUC decides by the end of the name`;
    findings.push(
      error(
        'image-extension',
        place,
        what,
        `Give it one of ${known.filter((end) => !isCasync(end)).join(', ')}`,
      ),
    );
  }
  if (resolved.entry.kind !== 'file') {
    const what = `the image "${name}" is not a regular file`;
    return [...findings, error('image-not-a-file', place, what, 'Pack it as an image or a tar archive')];
  }
  const file = { file: resolved.entry.path };
  if (resolved.entry.bytes === 0) {
    const what = 'the image is empty: it would leave an erased slot';
    return [...findings, ...(isWrittenByHook ? [] : [error('image-empty', file, what, 'Build it again')])];
  }
  if (!isDerived || !isFileSystemImage(name, target.slotType)) return findings;
  const root = bundle.roots.get(resolved.entry.path);
  return [
    ...findings,
    ...judgeExt4(file, bundle.imageHeads.get(resolved.entry.path), target),
    ...(root === undefined ? [] : judgeRoot(file, root)),
  ];
}

/** RAUC looks for an index's chunks beside the place that the bundle came from, and our devices install a copy of the bundle. */
function judgeCasync(place: Place, name: string): LintFinding {
  const advice = 'Pack the image itself, as .ext4 or as a tar archive';
  return name.endsWith('.catar')
    ? warning('image-casync', place, `"${name}" is unpacked by casync, which a device may lack`, advice)
    : error(
        'image-casync',
        place,
        `"${name}" is a casync index: its content is in a store beside the bundle, and no device fetches that`,
        advice,
      );
}

function judgeExt4(place: Place, head: Buffer | undefined, { kernelMin }: LintTarget): LintFinding[] {
  const ext4 = head === undefined ? undefined : readExt4(head);
  if (ext4 === undefined) {
    const what = 'the image holds no ext4 file system: RAUC writes it, and nothing can mount the slot';
    return [error('image-content', place, what, 'Make it with mkfs.ext4, or give it the name of what it is')];
  }
  const advice = 'Make it with mkfs.ext4 -O';
  return [
    ...ext4.features
      .filter(({ kernel }) => isOlder(kernelMin, kernel))
      .map(({ name, kernel }) =>
        error(
          'image-features',
          place,
          `the file system has the feature ${name}, which needs Linux ${kernel}; the devices have ${kernelMin}`,
          `${advice} ^${name}`,
        ),
      ),
    ...(ext4.hasOrphanFile && isOlder(kernelMin, '5.15')
      ? [
          warning(
            'image-features',
            place,
            'the file system has the feature orphan_file, and e2fsck before 1.47 refuses to check it at boot',
            `${advice} ^orphan_file`,
          ),
        ]
      : []),
  ];
}
