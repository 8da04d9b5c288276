import type { Outcome } from '../../system/exit-code.ts';
import { Failure } from '../../system/failure.ts';
import { logFileOf } from '../../system/places.ts';
import type { Running } from '../../system/process/program.ts';
import { ToldToEnd } from '../../system/process/program.ts';
import type { Values } from '../../system/terminal/arguments.ts';
import { print } from '../../system/terminal/print.ts';
import { showControls } from '../../system/terminal/show-controls.ts';
import { followLog, tailOf } from '../report/log-tail.ts';
import { openDevice } from '../transaction/device.ts';

const usualLines = 50;
const mostLines = 1000;
/** Long enough for a person who watches; a forgotten --follow ends at some time. */
const followMs = 7 * 24 * 60 * 60_000;

/** Prints the end of the programs' log; with --follow also every new line. */
export async function tellLog(values: Values, running: Running): Promise<Outcome> {
  const device = openDevice(values, running);
  const path = logFileOf(device.places);
  const lines = values.number('lines') ?? usualLines;
  if (!Number.isInteger(lines) || lines < 0 || lines > mostLines)
    throw new Failure(`Cannot read --lines: expected a whole number from 0 to ${mostLines}`, {
      outcome: 'usage',
    });
  const readerGone = new AbortController();
  const tell = (line: string): void => {
    if (!print(1, `${values.flag('json') ? lineJson(line) : showControls(line)}\n`)) readerGone.abort();
  };
  if (!values.flag('follow')) {
    for (const line of tailOf(path, lines)) tell(line);
    return 'done';
  }
  device.allow(followMs);
  try {
    await followLog(path, lines, tell, AbortSignal.any([device.signal, readerGone.signal]));
  } catch (error) {
    // Ctrl-C is the normal end of --follow, and so is a reader that has seen enough.
    if (!readerGone.signal.aborted && !(error instanceof ToldToEnd)) throw error;
  }
  return 'done';
}

/** A log line is `TIME PROGRAM: text`; any other line is all `text`. */
function lineJson(line: string): string {
  const [, at, program, text] = /^(\d{4}-\d\d-\d\dT\S+Z) ([\w.-]+): (.*)$/.exec(line) ?? [];
  return JSON.stringify({ format: 1, at: at ?? null, program: program ?? null, text: text ?? line });
}
