import { type Bundle, entryIn, imagesOf } from './bundle.ts';
import { type BundleEntry, nameOf, resolveEntry } from './bundle-entry.ts';
import { error, type LintFinding, warning } from './lint-finding.ts';

/** Finds entries that must not be in a bundle, and entries that were packed by mistake. */
export function judgeEntries(bundle: Bundle): LintFinding[] {
  return [...bundle.entries.values()].flatMap((entry) => [
    ...judgeLink(bundle, entry),
    ...judgeKind(entry),
    ...judgeLeftover(bundle, entry),
    ...judgeSecrecy(bundle, entry),
  ]);
}

function judgeLink(bundle: Bundle, entry: BundleEntry): LintFinding[] {
  if (entry.kind !== 'link') return [];
  const target = entry.target ?? '';
  const place = { file: entry.path };
  if (resolveEntry(bundle.entries, entry.path).kind === 'outside') {
    const what = `the link leads out of the bundle, to "${target}"`;
    return [error('link-outside-bundle', place, what, 'Put the file itself into the bundle')];
  }
  if (!target.includes('/') || bundle.packing !== undefined) return [];
  const what = `the link leads to "${target}", and RAUC from 1.13 on packs only links without a slash`;
  return [
    warning('link-with-slash', place, what, 'Let it lead to a file in its own folder, or copy the file'),
  ];
}

function judgeKind(entry: BundleEntry): LintFinding[] {
  if (entry.kind !== 'special') return [];
  const what =
    'it is a device, pipe or socket, which RAUC from 1.12 on does not pack and a device cannot use';
  return [error('special-file', { file: entry.path }, what, 'Remove it')];
}

const leftovers =
  /^(\.git|\.svn|\.hg|\.DS_Store|\.rauc-workdir|Thumbs\.db|.*~|.*\.sw[op]|.*\.orig|.*\.raucb)$/;

/** Reports a folder once, not again for each entry in it. */
function judgeLeftover(bundle: Bundle, entry: BundleEntry): LintFinding[] {
  const place = { file: entry.path };
  if (
    entry.path
      .split('/')
      .slice(0, -1)
      .some((name) => leftovers.test(name))
  )
    return [];
  if (leftovers.test(nameOf(entry.path)))
    return [warning('leftover', place, 'it would also be packed', 'Pack from a fresh copy')];
  if (bundle.packing !== undefined) return [];
  if (entry.kind === 'folder' && /^\.[^/]*$/.test(entry.path)) {
    const what = 'RAUC from 1.12 on packs no hidden folder at the top';
    return [warning('leftover', place, what, 'Remove it, or give it another name')];
  }
  const isIndex = imagesOf(bundle.manifest).some(
    ({ name }) => entry.path === `${entryIn(bundle.manifest, name, 'filename')?.value}.block-hash-index`,
  );
  if (!isIndex) return [];
  return [
    warning('leftover', place, 'it is of an earlier rauc bundle of this folder', 'Pack from a fresh copy'),
  ];
}

function judgeSecrecy(bundle: Bundle, entry: BundleEntry): LintFinding[] {
  if (!/^-----BEGIN [A-Z ]*PRIVATE KEY-----/m.test(bundle.smallFiles.get(entry.path) ?? '')) return [];
  const what = 'it holds a private key, which everyone who gets the bundle can read';
  return [
    error('private-key', { file: entry.path }, what, 'Remove it, and replace the key if it was ever packed'),
  ];
}
