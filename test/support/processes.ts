import { readdirSync, readFileSync } from 'node:fs';

/** Whether the process still does something; one that has ended and waits to be reaped does not. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Whether it ends within seconds: SIGKILL has been sent when kill(2) returns, and takes effect a moment later. */
export async function isSoonGone(pid: number): Promise<boolean> {
  for (let round = 0; round < 500 && isAlive(pid); round += 1) await Bun.sleep(10);
  return !isAlive(pid);
}

/** Whether a process that names the folder in its command line still runs. */
export function isAnyAliveIn(folder: string): boolean {
  return readdirSync('/proc').some((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${folder}/`);
    } catch {
      return false; // It has ended.
    }
  });
}

/** Ends a process that a test has left running. A number that was not read would be 0, and that is our own group. */
export function endProcess(pid: number): void {
  if (!(pid > 1)) throw new Error(`no process: ${pid}`);
  process.kill(pid, 'SIGKILL');
}
