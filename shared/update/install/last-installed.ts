import * as v from 'valibot';
import { StateFile } from '../../system/files/state-file.ts';
import type { Places } from '../../system/places.ts';

/** The last install from a server, noted so that the same bundle is not fetched again. Fields are only ever added. */

const facts = {
  url: v.string(),
  etag: v.nullable(v.string()),
  lastModified: v.nullable(v.string()),
  /** Of the whole bundle; null where the server sends an ETag or Last-Modified. */
  sha256: v.nullable(v.string()),
  bytes: v.number(),
  version: v.string(),
  /** ISO 8601. */
  at: v.string(),
};
const lastInstalledSchema = v.looseObject({ format: v.literal(1), ...facts });

const lastInstalledFile = new StateFile(lastInstalledSchema, 'last-install.json', { mode: 0o600 });

type InstallFacts = v.InferOutput<v.ObjectSchema<typeof facts, undefined>>;
export type LastInstalled = v.InferOutput<typeof lastInstalledSchema>;

/** Undefined where the note is of another URL or unreadable: then the same bundle may be fetched once more. */
export function readLastInstalled(places: Places, url: string): LastInstalled | undefined {
  const last = lastInstalledFile.read(places);
  return last?.url === url ? last : undefined;
}

export function writeLastInstalled(places: Places, install: InstallFacts): void {
  lastInstalledFile.write(places, { format: 1, ...install });
}
