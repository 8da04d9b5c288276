import { fstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { reasonOf } from '../failure.ts';
import { appendLine, makeFolder } from '../files/durable-file.ts';
import { rotateWhereLong } from '../files/log-rotation.ts';
import { redact } from '../redact.ts';
import { print } from './print.ts';
import { isTerminal } from './terminal.ts';

type Level = 'error' | 'warning' | 'info';

/** sd-daemon(3): the number journald reads from `<N>` at the start of a line. */
const priorities: Record<Level, number> = { error: 3, warning: 4, info: 6 };
const colours: Record<Level, string> = { error: '\x1b[31m', warning: '\x1b[33m', info: '' };

export interface Log {
  info(line: string): void;
  warn(line: string): void;
  error(line: string): void;
  /** Logs `Stopping …` before and `Stopped …` after; the failure's own line comes from the program's end. */
  step<T>(doing: string, done: string, thing: string, work: () => Promise<T>): Promise<T>;
  /** From now on also writes the same lines, with a time, to this file; warns once if the file cannot be written, and tries again at each line. */
  alsoTo(file: string): void;
  /** The last line that was logged. */
  readonly lastLine: string;
}

/** One line per event on stderr: priorities for journald, colours for a terminal, plain lines for a pipe. */
export function createLog(program: string): Log {
  const journal = isJournal(2);
  const colour = isTerminal(2);
  let file: string | undefined;
  let lastLine = '';

  const say = (level: Level, line: string): void => {
    const prefix = journal ? `<${priorities[level]}>` : '';
    const [on, off] = colour && colours[level] !== '' ? [colours[level], '\x1b[0m'] : ['', ''];
    print(2, `${prefix}${on}${line}${off}\n`);
  };
  let hasWarned = false;
  const attempt = (path: string, work: () => void): void => {
    try {
      work();
    } catch (error) {
      if (!hasWarned) say('warning', `Cannot write the log "${path}": ${reasonOf(error)}`);
      hasWarned = true;
    }
  };
  /** The file first: a later warning that it cannot be written would be the last line on stderr, and so the reason. */
  const write = (level: Level, text: string): void => {
    const line = redact(oneLine(text));
    lastLine = line;
    const path = file;
    if (path !== undefined) {
      // A log that cannot be rotated grows; its lines matter more.
      attempt(path, () => rotateWhereLong(path));
      attempt(path, () => {
        makeFolder(dirname(path));
        appendLine(path, `${new Date().toISOString()} ${program}: ${line}`);
      });
    }
    say(level, line);
  };

  return {
    info: (line) => write('info', line),
    warn: (line) => write('warning', line),
    error: (line) => write('error', line),
    async step(doing, done, thing, work) {
      write('info', `${doing} ${thing}`);
      const result = await work();
      write('info', `${done} ${thing}`);
      return result;
    },
    get lastLine() {
      return lastLine;
    },
    alsoTo(path) {
      file = path;
      attempt(path, () => makeFolder(dirname(path)));
    },
  };
}

/** A tool's message may contain several lines, even whole screens. */
function oneLine(text: string): string {
  return text.trimEnd().replace(/\s*[\r\n]+\s*/g, ' | ');
}

/**
 * systemd.exec(5): JOURNAL_STREAM names the device and inode of a stream that is connected to the journal.
 * RAUC reads install-check's stderr through a pipe of its own, where a prefix would show in the reason.
 */
function isJournal(descriptor: number): boolean {
  const stream = process.env['JOURNAL_STREAM'];
  if (stream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(descriptor);
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}
