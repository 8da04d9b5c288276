import semver from 'semver';
import { Failure } from '../../system/failure.ts';
import { command } from '../../system/process/command.ts';

/** The version of the rauc that packs bundles here. */
export async function raucVersion(): Promise<string> {
  try {
    const { stdout } = await command({ deadlineMs: 10_000 })`rauc --version`;
    return semver.coerce(stdout)?.version ?? stdout.trim();
  } catch (error) {
    throw new Failure('Cannot pack bundles: rauc does not run', {
      cause: error,
      advice: 'Install the package rauc',
    });
  }
}

/** RAUC 1.12 to 1.14 refuse folders in bundles; the programs then lie at the top. */
export function mayHoldFolders(version: string): boolean {
  return !semver.satisfies(version, '>=1.12.0 <1.15.0');
}
