import * as v from 'valibot';
import { Failure } from '../system/failure.ts';
import { CommandFailure, command } from '../system/process/command.ts';
import { BundleRefusal } from './bundle-refusal.ts';

export interface BundleInfo {
  compatible: string;
  version: string | undefined;
}

const infoSchema = v.looseObject({ compatible: v.string(), version: v.nullish(v.string()) });
/** RAUC hashes the whole file of a plain bundle. */
const infoDeadlineMs = 30 * 60_000;
/** `rauc info` exits with this code for every reason to reject a bundle. */
const refused = 1;

/** Verifies the bundle against the device's keyring, and returns its compatible and version. Throws a BundleRefusal. */
export async function inspectBundle(path: string, signal?: AbortSignal): Promise<BundleInfo> {
  try {
    const run = command({ deadlineMs: infoDeadlineMs, signal });
    return parseInfo((await run`rauc info --output-format=json ${path}`).stdout, path);
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    // RAUC has not rejected the bundle: `rauc` is missing, took too long, or was ended.
    if (error.exitCode !== refused) {
      throw new Failure(`Cannot verify "${path}": ${error.message}`, { cause: error });
    }
    throw new BundleRefusal(path, raucReason(error), error);
  }
}

export function parseInfo(json: string, path: string): BundleInfo {
  try {
    const info = v.parse(infoSchema, JSON.parse(json));
    return { compatible: info.compatible, version: info.version ?? undefined };
  } catch (error) {
    throw new Failure(`Cannot verify "${path}": RAUC answered in an unknown form`, { cause: error });
  }
}

/** RAUC's last line without its prefix. */
export function raucReason(error: CommandFailure): string {
  const line = error.stderr
    .trim()
    .split('\n')
    .findLast((candidate) => candidate.trim() !== '');
  return line?.replace(/^\(?rauc(:\d+\))?:?\s*/, '').trim() ?? error.message;
}
