import { lstatSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isMissing, reasonOf } from '../../system/failure.ts';
import { type Places, updateFolderOf } from '../../system/places.ts';
import type { Log } from '../../system/terminal/log.ts';
import { isClockTrusted } from '../schedule/window.ts';

/** The inhibit file, by which a user blocks updates: a reason in its first line, and an optional end, `until: DATE`. */

export type Inhibit =
  | { kind: 'none' }
  /** `until` is undefined when the file has no end, or an end that cannot be read. */
  | { kind: 'inhibited'; reason: string; until: Date | undefined }
  | { kind: 'expired'; reason: string; until: Date };

export function readInhibit(places: Places, now: Date): Inhibit {
  const path = join(updateFolderOf(places), 'inhibit');
  try {
    const stats = statSync(path);
    if (stats.isFile()) return decideInhibit(readFileSync(path, 'utf8'), now);
    return unreadable(stats.isDirectory() ? 'it is a folder' : 'it is not a file');
  } catch (error) {
    const isNone = isMissing(error) && lstatSync(path, { throwIfNoEntry: false }) === undefined;
    return isNone ? { kind: 'none' } : unreadable(reasonOf(error));
  }
}

/** Anything of that name inhibits, such as the folder that Docker makes for a missing file: a user has put it there. */
function unreadable(reason: string): Inhibit {
  return { kind: 'inhibited', reason: `update/inhibit cannot be read: ${reason}`, until: undefined };
}

/** An end that cannot be read, or that seems past on a clock that was never set, does not end the inhibit: the user said no. */
export function decideInhibit(text: string, now: Date): Inhibit {
  const lines = text.split('\n').map((line) => line.trim());
  const [first = ''] = lines;
  const reason = /^until:/i.test(first) ? '' : first;
  const written = lines.map((line) => /^until:\s*(.*)$/i.exec(line)?.[1]).find((end) => end !== undefined);
  if (written === undefined) return { kind: 'inhibited', reason, until: undefined };
  const until = readEnd(written);
  if (until === undefined) {
    const unread = `its end "${written}" is no date like 2026-12-24T18:00:00Z`;
    return {
      kind: 'inhibited',
      reason: reason === '' ? unread : `${reason} (${unread})`,
      until: undefined,
    };
  }
  if (!isClockTrusted(now)) return { kind: 'inhibited', reason, until };
  return until <= now ? { kind: 'expired', reason, until } : { kind: 'inhibited', reason, until };
}

/** The reason as a refusal reports it; undefined when updates may run. */
export function reasonOfInhibit(inhibit: Inhibit): string | undefined {
  if (inhibit.kind !== 'inhibited') return undefined;
  if (inhibit.until === undefined) return inhibit.reason;
  const end = `until ${inhibit.until.toISOString()}`;
  return inhibit.reason === '' ? end : `${inhibit.reason} (${end})`;
}

/** Reports an expired inhibit file, so that the user knows why updates run again. */
export function tellExpiredInhibit(places: Places, now: Date, log: Log): void {
  const inhibit = readInhibit(places, now);
  if (inhibit.kind !== 'expired') return;
  const reason = inhibit.reason === '' ? '' : ` ("${inhibit.reason}")`;
  log.info(
    `The file update/inhibit${reason} has ended at ${inhibit.until.toISOString()}: it does not inhibit updates any more`,
  );
}

/** Reads ISO 8601: a date alone ends with its last second in UTC; a time without a zone is in the system's time zone. */
function readEnd(written: string): Date | undefined {
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(written);
  if (!isDay && !/^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?$/.test(written))
    return undefined;
  const date = new Date(isDay ? `${written}T23:59:59Z` : written.replace(' ', 'T'));
  return Number.isNaN(date.getTime()) ? undefined : date;
}
