import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Failure } from '../../system/failure.ts';
import { pathInRoot } from '../../system/files/rooted-path.ts';

/** PEM's first line for every kind of private key, OpenSSH's too (RFC 7468). */
const marker = Buffer.from(' PRIVATE KEY-----');
const beginning = '-----BEGIN';
const pieceBytes = 1024 * 1024;
/** The longest label that is known is "ENCRYPTED". */
const overlapBytes = 64;

/** Throws a Failure that names every file with a private key: every owner of a device could read the key. */
export function refusePrivateKeys(tree: string): void {
  const published = publishedFiles(tree);
  const found = filesWithPrivateKey(tree).filter(
    (path) => published.get(path) !== digestOf(join(tree, path)),
  );
  if (found.length === 0) return;
  const list = found.map((path) => `"/${path}"`).join(', ');
  throw new Failure(`Cannot make a root file system with private keys in it: ${list}`, {
    advice: 'A device needs the keyring alone; keys of its own are made at its first boot',
  });
}

/**
 * The paths of all files below the folder that hold a private key in PEM. Links are not followed: they may lead out of the
 * tree or in a circle.
 */
export function filesWithPrivateKey(tree: string): string[] {
  return [...filesBelow(tree, '')].filter((path) => holdsPrivateKey(join(tree, path))).sort();
}

/**
 * The MD5 of every file that came in a package, by its path: a key that lies unchanged in a package was never a secret
 * (GnuTLS tests itself with some). dpkg keeps no other checksum.
 */
function publishedFiles(tree: string): Map<string, string> {
  const folder = join(tree, 'var/lib/dpkg/info');
  const lists = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.md5sums')) : [];
  const lines = lists.flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'));
  return new Map(
    lines.flatMap((line) => {
      const [, sum, path] = /^([0-9a-f]{32}) {2}(.+)$/.exec(line) ?? [];
      return sum === undefined || path === undefined ? [] : [[relative(tree, pathInRoot(tree, path)), sum]];
    }),
  );
}

function digestOf(path: string): string {
  return createHash('md5').update(readFileSync(path)).digest('hex');
}

function* filesBelow(tree: string, folder: string): Generator<string> {
  for (const entry of readdirSync(join(tree, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(tree, path);
    else if (entry.isFile()) yield path;
  }
}

/** A file that only mentions such keys (a library, a manual) has no base64 after the line. */
function holdsPrivateKey(path: string): boolean {
  const descriptor = openSync(path, 'r');
  try {
    const piece = Buffer.alloc(pieceBytes);
    for (let offset = 0; ; offset += pieceBytes - 2 * overlapBytes) {
      const length = readSync(descriptor, piece, 0, pieceBytes, offset);
      if (hasKey(piece.subarray(0, length))) return true;
      if (length < pieceBytes) return false;
    }
  } finally {
    closeSync(descriptor);
  }
}

function hasKey(piece: Buffer): boolean {
  for (let at = piece.indexOf(marker); at >= 0; at = piece.indexOf(marker, at + 1)) {
    const before = piece.toString('latin1', Math.max(0, at - overlapBytes), at);
    const after = piece.toString('latin1', at + marker.length, at + marker.length + 40);
    const label = before.slice(before.lastIndexOf(beginning));
    if (/^-----BEGIN(?: [A-Z]+)*$/.test(label) && /^\s+(?:[A-Za-z0-9+/=]{32}|[\w-]+: )/.test(after))
      return true;
  }
  return false;
}
