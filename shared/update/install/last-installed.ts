import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { makeFolder, writeDurably } from '../../system/files/durable-file.ts';
import { type Places, updateFolderOf } from '../../system/places.ts';

/** The last install from a server, noted so that the same bundle is not fetched again. Fields are only ever added. */

const lastInstallSchema = v.looseObject({
  format: v.literal(1),
  url: v.string(),
  etag: v.nullable(v.string()),
  lastModified: v.nullable(v.string()),
  /** Of the whole bundle; null where the server sends an ETag or Last-Modified. */
  sha256: v.nullable(v.string()),
  bytes: v.number(),
  version: v.string(),
  /** ISO 8601. */
  at: v.string(),
});

export type LastInstalled = v.InferOutput<typeof lastInstallSchema>;

/** Undefined where the note is of another URL or unreadable: then the same bundle may be fetched once more. */
export function readLastInstalled(places: Places, url: string): LastInstalled | undefined {
  try {
    const last = v.parse(lastInstallSchema, JSON.parse(readFileSync(lastInstallFile(places), 'utf8')));
    return last.url === url ? last : undefined;
  } catch {
    return undefined;
  }
}

export function writeLastInstalled(places: Places, install: Omit<LastInstalled, 'format'>): void {
  makeFolder(updateFolderOf(places));
  writeDurably(lastInstallFile(places), `${JSON.stringify({ format: 1, ...install })}\n`, 0o600);
}

function lastInstallFile(places: Places): string {
  return join(updateFolderOf(places), 'last-install.json');
}
