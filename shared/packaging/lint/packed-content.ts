import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { Failure, reasonOf } from '../../system/failure.ts';
import { command } from '../../system/process/command.ts';
import { openSignature, readSignature } from '../format/bundle-signature.ts';
import { readSquashfs } from '../format/squashfs.ts';
import { type BundleContent, mostEntries } from './bundle-content.ts';
import type { BundleEntry } from './bundle-entry.ts';
import { findPayloadDamage } from './payload-damage.ts';
import { parseSquashfsListing } from './squashfs-listing.ts';

const listDeadlineMs = 60_000;
const extractDeadlineMs = 300_000;
/** A program is some 110 MB; an image is never extracted, only its head is read. */
const mostExtractedBytes = 1024 ** 3;
/** The kernel limits one argument to 128 KiB, and a whole command is one argument of the shell that runs it. */
const mostNameCharacters = 60_000;

/** Opens a signed bundle. Only fetched files are extracted, into a folder that is removed on dispose. Throws a Failure. */
export async function openPackedBundle(given: string): Promise<BundleContent> {
  const path = resolve(given);
  const { squashfs, parts } = readParts(path);
  const folder = mkdtempSync(join(tmpdir(), 'bundle-lint-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const signature = await openSignature(path, parts.signature, folder);
    const damage = await findPayloadDamage(path, parts.payloadBytes, signature);
    const entries = damage === undefined ? await listEntries(path) : new Map<string, BundleEntry>();
    const extracted = join(folder, 'content');
    let extractedBytes = 0;
    const fetch = async (wanted: readonly string[]): Promise<void> => {
      if (wanted.length === 0) return;
      extractedBytes += wanted.reduce((bytes, name) => bytes + (entries.get(name)?.bytes ?? 0), 0);
      if (extractedBytes > mostExtractedBytes || wanted.join('').length > mostNameCharacters)
        throw new Failure(`Cannot lint the bundle "${given}": its programs and scripts are too large`);
      const run = command({ deadlineMs: extractDeadlineMs });
      await run`unsquashfs -no-progress -quiet -force -no-xattrs -no-wildcards -dest ${extracted} ${path} ${wanted}`.catch(
        (error: unknown) => {
          throw unreadable(given, `its files cannot be read: ${reasonOf(error)}`, error);
        },
      );
    };
    return {
      name: basename(path),
      entries,
      packing: {
        compressor: squashfs.compressor,
        payloadBytes: parts.payloadBytes,
        signatureBytes: parts.signature.length,
        damage,
        signedManifest: signature.manifest,
        signerCertificate: signature.signer,
      },
      fetch,
      localPath: (inside) => join(extracted, inside),
      async head(inside, bytes) {
        const file = join(folder, 'head');
        const { stderr } = await command({
          deadlineMs: extractDeadlineMs,
        })`unsquashfs -no-progress -no-wildcards -cat ${path} ${inside} | head -c ${bytes} > ${file}`;
        const read = readFileSync(file);
        if (read.length === 0 && stderr !== '') throw unreadable(given, stderr);
        return read;
      },
      [Symbol.asyncDispose]: async () => remove(),
    };
  } catch (error) {
    remove();
    throw error;
  }
}

function readParts(path: string) {
  let squashfs: ReturnType<typeof readSquashfs>;
  let parts: ReturnType<typeof readSignature>;
  try {
    squashfs = readSquashfs(path);
    parts = readSignature(path);
  } catch (error) {
    throw unreadable(path, reasonOf(error));
  }
  if (squashfs === undefined)
    throw unreadable(path, 'it does not start with a squashfs (an encrypted bundle cannot be linted)');
  if (parts === undefined || parts.payloadBytes < squashfs.usedBytes)
    throw unreadable(path, 'there is no signature at its end, or it is truncated');
  return { squashfs, parts };
}

async function listEntries(path: string): Promise<Map<string, BundleEntry>> {
  const { stdout } = await command({
    deadlineMs: listDeadlineMs,
  })`unsquashfs -no-progress -lln ${path}`.catch((error: unknown) => {
    throw unreadable(path, `its files cannot be listed: ${reasonOf(error)}`, error);
  });
  const entries = parseSquashfsListing(stdout);
  if (typeof entries === 'string')
    throw unreadable(path, `a name has a line break in it, before "${entries}"`);
  if (entries.size > mostEntries) throw unreadable(path, `it holds more than ${mostEntries} files`);
  return entries;
}

function unreadable(path: string, reason: string, cause?: unknown): Failure {
  return new Failure(`Cannot lint the bundle "${path}": ${reason}`, {
    advice: 'Give the folder that is to be packed, or a .raucb file as rauc bundle made it',
    cause,
  });
}
