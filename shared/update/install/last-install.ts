import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { makeFolder, writeDurably } from '../../system/files/durable-file.ts';
import { type Places, updateFolderOf } from '../../system/places.ts';

/** What was installed last from a server, so that the same is not fetched again. Fields are only ever added. */

const lastInstallSchema = v.looseObject({
  format: v.literal(1),
  url: v.string(),
  etag: v.nullable(v.string()),
  lastModified: v.nullable(v.string()),
  /** Of the whole bundle; only where the server names its file by nothing. */
  sha256: v.nullable(v.string()),
  bytes: v.number(),
  version: v.string(),
  /** ISO 8601. */
  at: v.string(),
});

export type LastInstall = v.InferOutput<typeof lastInstallSchema>;

/** Undefined where it came from elsewhere, or cannot be read: then it is fetched once too often. */
export function readLastInstall(places: Places, url: string): LastInstall | undefined {
  try {
    const last = v.parse(lastInstallSchema, JSON.parse(readFileSync(lastInstallFile(places), 'utf8')));
    return last.url === url ? last : undefined;
  } catch {
    return undefined;
  }
}

export function writeLastInstall(places: Places, install: Omit<LastInstall, 'format'>): void {
  makeFolder(updateFolderOf(places));
  writeDurably(lastInstallFile(places), `${JSON.stringify({ format: 1, ...install })}\n`, 0o600);
}

function lastInstallFile(places: Places): string {
  return join(updateFolderOf(places), 'last-install.json');
}
