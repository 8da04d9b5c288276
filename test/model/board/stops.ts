import { existsSync, readFileSync } from 'node:fs';

/** Follows a program that stops at each of its steps (`HOMIE_STOPS=1`), and continues it when the caller has looked. */

export interface Stop {
  /** `within` is half-way through a child of the program. */
  side: 'before' | 'within' | 'after';
  step: string;
}

/** In place of an identifier that each run draws anew, and which no run can be told beforehand. */
export const drawnId = 'ID';

/** Calls `look` at each stop, with the program and its children's writes at a standstill. Answers what the work does. */
export async function atEachStop<T>(file: string, work: Promise<T>, look: (stop: Stop) => void): Promise<T> {
  let isOver = false;
  const ended = work.finally(() => {
    isOver = true;
  });
  let passed = 0;
  // What goes wrong with a look ends the program, too, which would hang for ever.
  let failure: unknown;
  while (!isOver) {
    for (const { pid, ...stop } of stopsIn(file).slice(passed)) {
      while (!isOver && isRunning(pid)) await Bun.sleep(1);
      passed += 1;
      try {
        if (failure === undefined) look(stop);
      } catch (error) {
        failure = error;
      }
      send(pid, failure === undefined ? 'SIGCONT' : 'SIGKILL');
    }
    await Bun.sleep(1);
  }
  const result = await ended;
  if (failure !== undefined) throw failure;
  return result;
}

function stopsIn(file: string): (Stop & { pid: number })[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => {
    const [, pid, side, step] = /^(\d+) (before|within|after) (.*)$/.exec(line) ?? [];
    if (side !== 'before' && side !== 'within' && side !== 'after')
      throw new Error(`no stop is written like "${line}"`);
    return { pid: Number(pid), side, step: step?.replace(/\b[0-9a-f]{16}\b/g, drawnId) ?? '' };
  });
}

/** proc(5): the state stands behind the name in brackets; `T` is stopped by a signal. */
function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !/^[TZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}

function send(pid: number, signal: 'SIGCONT' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}
