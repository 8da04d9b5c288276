import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { cannotTrust } from '../../system/files/checksum.ts';
import { makeFolder } from '../../system/files/durable-file.ts';
import { command } from '../../system/process/command.ts';
import type { VerifiedArchive } from './archive-check.ts';
import { ArchiveReading } from './archive-reading.ts';
import { cannotRestore, unpackFailureOf } from './unpack-failure.ts';

export interface UnpackRequest {
  archive: VerifiedArchive;
  /** A separate folder beside the one to replace; leftovers of an earlier run in it are removed. */
  into: string;
  signal: AbortSignal;
}

const unpackMs = 3_600_000;
const syncMs = 600_000;
/** tar writes as much at once as it reads at once: its default of 10 KiB took a third longer for large files. */
const largeRecords = '--blocking-factor=512';
/** Owners by number: the user names of another slot mean nothing here. A time in the future is no error. */
const exactly = [
  '--numeric-owner',
  '--same-owner',
  '--same-permissions',
  '--xattrs',
  '--xattrs-include=*',
  '--warning=no-timestamp',
];

/**
 * Unpacks an archive of createArchive(), whole and on the disk, and returns the path of the unpacked folder. If the
 * archive has changed since it was verified, the unpacked files are removed; tar itself writes nothing outside of
 * `into`, even from a hostile archive. Throws a Failure, and leaves nothing behind.
 */
export async function unpackArchive({ archive, into, signal }: UnpackRequest): Promise<string> {
  const { path, rootName } = archive;
  rmSync(into, { recursive: true, force: true });
  try {
    makeFolder(into, 0o700);
    await extract(archive, into, signal);
    await command({ deadlineMs: syncMs, signal })`sync --file-system ${into}`;
    const root = join(into, rootName);
    if (!statSync(root).isDirectory()) throw cannotRestore(path, `"${rootName}" in it is no folder`);
    return root;
  } catch (error) {
    rmSync(into, { recursive: true, force: true });
    throw unpackFailureOf(path, error, signal);
  }
}

/** Does not use tar's own --zstd, which needs a program that a small system does not have. */
async function extract({ path, sha256 }: VerifiedArchive, into: string, signal: AbortSignal): Promise<void> {
  await using reading = new ArchiveReading(path, signal);
  const unpack = command({ deadlineMs: unpackMs, signal, stdin: reading.tar });
  await unpack`tar --extract --file=- ${largeRecords} --directory=${into} ${exactly}`;
  const read = await reading.finish();
  if (read.sha256 !== sha256) throw cannotTrust(path, 'it has changed since it was checked');
}
