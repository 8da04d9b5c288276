import { readdirSync, readFileSync } from 'node:fs';
import { Deadline, pause } from '../../system/deadline.ts';
import { Failure } from '../../system/failure.ts';

/** A variable in the environment of every process of the device, which stays when its session or parent changes. */
export const deviceMark = 'HOMIE_DEVICE';

/** The pids of the device's processes: those with its mark, and their descendants, which may have overwritten theirs. */
export function processesOf(folder: string): number[] {
  const mark = `\0${deviceMark}=${folder}\0`;
  const found = new Set<number>();
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const parent = parentOf(pid);
    if (parent === undefined) continue;
    parents.set(pid, parent);
    if (`\0${readProc(pid, 'environ') ?? ''}`.includes(mark)) found.add(pid);
  }
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid);
  }
  return [...found];
}

/**
 * Ends the device's processes, except those in `keep`: SIGTERM and up to `graceMs` for a clean end, then SIGKILL until two
 * scans in a row find no process. One scan is not enough: it misses a process that is just forking, and a process that is
 * just replacing its program shows no environment for a moment. Throws a Failure if processes remain after 10 s.
 */
export async function endProcesses(
  folder: string,
  options: { graceMs: number; keep?: readonly number[] },
): Promise<void> {
  const left = (): number[] => processesOf(folder).filter((pid) => options.keep?.includes(pid) !== true);
  if (options.graceMs > 0) {
    const grace = new Deadline(options.graceMs);
    for (const pid of left()) send(pid, 'SIGTERM');
    while (!grace.isOver && left().length > 0) await pause(20);
  }
  const deadline = new Deadline(10_000);
  for (let emptyScans = 0; emptyScans < 2; await pause(10)) {
    const pids = left();
    emptyScans = pids.length === 0 ? emptyScans + 1 : 0;
    if (deadline.isOver)
      throw new Failure(`Cannot end the processes of "${folder}": ${pids.join(', ')} remain`);
    for (const pid of pids) send(pid, 'SIGKILL');
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}

/** Undefined for a process that has ended, also for a zombie that its parent does not reap. */
function parentOf(pid: number): number | undefined {
  const stat = readProc(pid, 'stat');
  const [state, parent] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  return state === undefined || state === 'Z' || state === 'X' ? undefined : Number(parent);
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return undefined;
  }
}
