import { basename } from 'node:path';
import { findBackups, type SavedBackup } from '../../data/backups/saved-backups.ts';
import type { Outcome } from '../../system/exit-code.ts';
import { reasonOf } from '../../system/failure.ts';
import { checkSaved } from '../../system/files/checksum.ts';
import { formatBytes } from '../../system/files/disk.ts';
import type { Values } from '../../system/terminal/arguments.ts';
import { columns } from '../../system/terminal/columns.ts';
import { print } from '../../system/terminal/print.ts';

interface Checked extends SavedBackup {
  /** Why the backup cannot be trusted; undefined when its checksum is right. */
  problem: string | undefined;
}

/** Prints every backup, newest first, and whether it still has the content that was written. */
export async function tellBackups(folder: string, values: Values, signal: AbortSignal): Promise<Outcome> {
  const backups: Checked[] = [];
  for (const backup of findBackups(folder))
    backups.push({ ...backup, problem: await problemOf(backup.path, signal) });
  print(1, values.flag('json') ? jsonOf(folder, backups) : textOf(folder, backups));
  return 'done';
}

async function problemOf(path: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    await checkSaved(path, signal);
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    const reason = reasonOf(error);
    return reason.slice(reason.indexOf('": ') + 3);
  }
}

function textOf(folder: string, backups: readonly Checked[]): string {
  if (backups.length === 0) return `There is no backup in "${folder}".\n`;
  const rows = backups.map(({ path, kind, from, to, at, bytes, problem }) => [
    kind,
    to === undefined ? from : `${from} → ${to}`,
    at.toISOString(),
    formatBytes(bytes),
    problem === undefined ? 'whole' : `DAMAGED: ${problem}`,
    basename(path),
  ]);
  return `${columns(rows)}\n`;
}

function jsonOf(folder: string, backups: readonly Checked[]): string {
  const all = backups.map(({ path, kind, occasion, from, to, at, bytes, problem }) => ({
    path,
    kind,
    occasion,
    from,
    to: to ?? null,
    at: at.toISOString(),
    bytes,
    isWhole: problem === undefined,
    problem: problem ?? null,
  }));
  return `${JSON.stringify({ format: 1, folder, backups: all }, undefined, 2)}\n`;
}
