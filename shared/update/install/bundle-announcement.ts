import semver from 'semver';
import * as v from 'valibot';
import { Failure, reasonOf } from '../../system/failure.ts';
import type { Log } from '../../system/terminal/log.ts';
import type { ConnectionOptions } from '../../transfer/request/connection.ts';
import { networkTrouble } from '../../transfer/request/network-reason.ts';
import { readSmallFile } from '../../transfer/request/small-file.ts';

/** `latest.json`, beside the bundle, describes it. The file is not signed, so it only affects what is reported. */
const latestSchema = v.looseObject({
  version: v.pipe(
    v.string(),
    v.check((text) => semver.valid(text) !== null, 'a semantic version'),
  ),
  compatible: v.optional(v.string()),
  description: v.optional(v.pipe(v.string(), v.maxLength(1000))),
});

export type BundleAnnouncement = v.InferOutput<typeof latestSchema>;

const mostBytes = 65_536;

/** Undefined where there is none; one that cannot be used is logged and ignored. */
export async function readAnnouncement(
  bundleUrl: string,
  options: ConnectionOptions,
  log: Log,
): Promise<BundleAnnouncement | undefined> {
  const url = new URL('latest.json', bundleUrl).href;
  let text: string | undefined;
  try {
    text = await readSmallFile({ ...options, url }, mostBytes);
  } catch (error) {
    options.signal.throwIfAborted();
    if (error instanceof Failure) throw error;
    log.warn(`Cannot read "${url}": ${networkTrouble(error).reason}; continuing without it`);
    return undefined;
  }
  if (text === undefined) return undefined;
  try {
    return v.parse(latestSchema, JSON.parse(text));
  } catch (error) {
    log.warn(`Cannot use "${url}": ${reasonOf(error)}; continuing without it`);
    return undefined;
  }
}
