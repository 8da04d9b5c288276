import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { cannotTrust } from '../../system/files/checksum.ts';
import { makeFolder } from '../../system/files/durable-file.ts';
import { command } from '../../system/process/command.ts';
import type { VerifiedArchive } from './archive-check.ts';
import { ArchiveReading } from './archive-reading.ts';
import { cannotRestore, unpackFailureOf } from './restore-failure.ts';

export interface UnpackRequest {
  archive: VerifiedArchive;
  /** A folder of its own beside the one that is to be replaced; what a run before has left there goes. */
  into: string;
  signal: AbortSignal;
}

const unpackMs = 3_600_000;
const syncMs = 600_000;
/** What it reads at once, it writes at once: its own 10 KiB took a third longer for large files. */
const largeRecords = '--blocking-factor=512';
/** Owners by number: the names of another slot's users are nobody's here. A time to come is no fault. */
const exactly = [
  '--numeric-owner',
  '--same-owner',
  '--same-permissions',
  '--xattrs',
  '--xattrs-include=*',
  '--warning=no-timestamp',
];

/**
 * Unpacks what createArchive() has written, whole and on the disk, and answers where the folder lies. What is unpacked
 * is what has been verified, else it is thrown away; tar itself puts nothing outside of `into`, whatever it reads.
 * Throws a Failure, and leaves nothing.
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

/** Not by tar's own --zstd, which needs a program that a small system does not have. */
async function extract({ path, sha256 }: VerifiedArchive, into: string, signal: AbortSignal): Promise<void> {
  await using reading = new ArchiveReading(path, signal);
  const unpack = command({ deadlineMs: unpackMs, signal, stdin: reading.tar });
  await unpack`tar --extract --file=- ${largeRecords} --directory=${into} ${exactly}`;
  const read = await reading.finish();
  if (read.sha256 !== sha256) throw cannotTrust(path, 'it has changed since it was checked');
}
