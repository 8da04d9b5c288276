import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { pause } from '../../system/deadline.ts';
import { isMissing } from '../../system/failure.ts';
import { rotatedLogOf } from '../../system/files/log-rotation.ts';

/** Reads the end of a log that other programs write; a large log needs no more memory than a small one. */

const mostBytes = 256 * 1024;
const lookEveryMs = 250;

/** The last complete lines, also from the rotated log before this one. A missing file counts as an empty one. */
export function tailOf(path: string, lines: number): string[] {
  const newest = endOf(path, lines);
  return newest.length >= lines ? newest : [...endOf(rotatedLogOf(path), lines - newest.length), ...newest];
}

function endOf(path: string, lines: number): string[] {
  const descriptor = openIfThere(path);
  if (descriptor === undefined) return [];
  try {
    const { size } = fstatSync(descriptor);
    return lastLines(descriptor, size, lines).lines;
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Passes on the last lines, then each line as it is written, until the signal. Continues in the new file when the log is
 * rotated (renamed, and created again), and from the beginning when it is truncated.
 */
export async function followLog(
  path: string,
  lines: number,
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let open = openLog(path);
  try {
    for (const line of open?.last(lines) ?? []) tell(line);
    for (;;) {
      open?.readOn(tell);
      if (isAnother(path, open?.descriptor)) {
        // Lines that were written between the two checks.
        open?.readOn(tell);
        open?.close();
        open = openLog(path);
        continue;
      }
      await pause(lookEveryMs, signal);
    }
  } finally {
    open?.close();
  }
}

interface OpenLog {
  descriptor: number;
  /** The last complete lines; `readOn` continues after them. */
  last(lines: number): string[];
  readOn(tell: (line: string) => void): void;
  close(): void;
}

/** Undefined where the file does not exist. */
function openLog(path: string): OpenLog | undefined {
  const descriptor = openIfThere(path);
  if (descriptor === undefined) return undefined;
  let read = 0;
  let pending = '';
  return {
    descriptor,
    last(lines) {
      const { size } = fstatSync(descriptor);
      const end = lastLines(descriptor, size, lines);
      read = end.end;
      return end.lines;
    },
    readOn(tell) {
      const { size } = fstatSync(descriptor);
      if (size < read) [read, pending] = [0, ''];
      while (read < size) {
        const piece = Buffer.alloc(Math.min(size - read, mostBytes));
        const length = readSync(descriptor, piece, 0, piece.length, read);
        if (length === 0) return;
        read += length;
        // A character may lie across two pieces.
        const whole = (pending + piece.toString('latin1', 0, length)).split('\n');
        pending = whole.pop() ?? '';
        for (const line of whole) tell(Buffer.from(line, 'latin1').toString());
      }
    },
    close: () => closeSync(descriptor),
  };
}

/** Whether the path now names another file than the one that is open. */
function isAnother(path: string, descriptor: number | undefined): boolean {
  const now = statSync(path, { throwIfNoEntry: false });
  if (now === undefined) return false;
  if (descriptor === undefined) return true;
  const open = fstatSync(descriptor);
  return now.ino !== open.ino || now.dev !== open.dev;
}

function lastLines(descriptor: number, size: number, lines: number): { lines: string[]; end: number } {
  const bytes = Math.min(size, mostBytes);
  const piece = Buffer.alloc(bytes);
  const length = readSync(descriptor, piece, 0, bytes, size - bytes);
  const whole = piece.lastIndexOf(0x0a, length - 1) + 1;
  const all = piece.toString('utf8', 0, whole).split('\n');
  all.pop();
  // The first line may be incomplete: it may begin before this piece.
  if (size > bytes) all.shift();
  return { lines: lines === 0 ? [] : all.slice(-lines), end: size - bytes + whole };
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
