import { reasonOf } from '../../system/failure.ts';
import { cannotTrust, checkSaved, readChecksum, requireChecksum } from '../../system/files/checksum.ts';
import { namesIn, requireInside } from './archive-names.ts';
import { ArchiveReading } from './archive-reading.ts';
import { unpackFailureOf } from './restore-failure.ts';

/** An archive that has been found whole and harmless, and by what to know it again. */
export interface VerifiedArchive {
  path: string;
  rootName: string;
  sha256: string;
}

/**
 * Reads the whole archive, once: its checksum is the one beside it, it decodes to a tar that has its end, and nothing in
 * that would lie outside of the folder of that name. Throws a Failure that says what is wrong.
 */
export async function verifyArchive(
  path: string,
  rootName: string,
  signal: AbortSignal,
): Promise<VerifiedArchive> {
  const expected = readChecksum(path);
  await using reading = new ArchiveReading(path, signal);
  // What tar says of a damaged archive is said only where nothing else is wrong with it.
  const [listing] = await Promise.allSettled([namesIn(reading.tar, signal)]);
  const { sha256, hasEnd } = await reading.finish().catch(async (error: unknown) => {
    await checkSaved(path, signal);
    throw cannotTrust(path, signal.aborted ? 'it was told to end' : reasonOf(error), error);
  });
  requireChecksum(path, sha256, expected);
  // The decoder takes a stream that is cut short, or empty, for a whole one: only the tar's own end tells.
  if (!hasEnd) throw cannotTrust(path, 'it ends too early');
  if (listing.status === 'rejected') throw unpackFailureOf(path, listing.reason, signal);
  requireInside(path, rootName, listing.value);
  return { path, rootName, sha256 };
}
