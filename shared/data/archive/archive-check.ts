import { reasonOf } from '../../system/failure.ts';
import { cannotTrust, checkSaved, readChecksum, requireChecksum } from '../../system/files/checksum.ts';
import { namesIn, requireInside } from './archive-names.ts';
import { ArchiveReading } from './archive-reading.ts';
import { unpackFailureOf } from './unpack-failure.ts';

/** An archive that was found whole and harmless; `sha256` identifies it later. */
export interface VerifiedArchive {
  path: string;
  rootName: string;
  sha256: string;
}

/**
 * Reads the whole archive once, and checks that it has the checksum beside it, that it decodes to a tar with an end,
 * and that every name in it lies inside the folder `rootName`. Throws a Failure that says what is wrong.
 */
export async function verifyArchive(
  path: string,
  rootName: string,
  signal: AbortSignal,
): Promise<VerifiedArchive> {
  const expected = readChecksum(path);
  await using reading = new ArchiveReading(path, signal);
  // tar's own error about a damaged archive is reported only if all other checks pass.
  const [listing] = await Promise.allSettled([namesIn(reading.tar, signal)]);
  const { sha256, hasEnd } = await reading.finish().catch(async (error: unknown) => {
    await checkSaved(path, signal);
    throw cannotTrust(path, signal.aborted ? 'the program was stopped' : reasonOf(error), error);
  });
  requireChecksum(path, sha256, expected);
  // The decoder accepts a truncated or empty stream as whole: only the tar's own end proves that nothing is missing.
  if (!hasEnd) throw cannotTrust(path, 'it ends too early');
  if (listing.status === 'rejected') throw unpackFailureOf(path, listing.reason, signal);
  requireInside(path, rootName, listing.value);
  return { path, rootName, sha256 };
}
