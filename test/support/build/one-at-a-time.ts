import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { project } from '../../../shared/packaging/project.ts';
import { Deadline } from '../../../shared/system/deadline.ts';
import { isLock, tryLock } from '../../../shared/system/process/lock.ts';

export interface Turn {
  /** What is made there, and the lock's name. */
  what: string;
  folder?: string;
  deadlineMs?: number;
  tell?: (line: string) => void;
}

/** Of several processes in one checkout, one does it, and the others say for whom they wait. */
export async function oneAtATime<T>(turn: Turn, work: () => Promise<T>): Promise<T> {
  const { what, folder = project.cache, deadlineMs = 60 * 60_000 } = turn;
  const tell = turn.tell ?? ((line: string) => process.stderr.write(line));
  mkdirSync(folder, { recursive: true });
  const deadline = new Deadline(deadlineMs);
  let waitedFor: number | undefined;
  for (;;) {
    const lock = tryLock(join(folder, `${what.replaceAll(' ', '-')}.lock`), what);
    if (isLock(lock)) {
      try {
        return await work();
      } finally {
        lock.release();
      }
    }
    if (deadline.isOver)
      throw new Error(
        `Cannot wait for ${what}: process ${lock.pid} holds its lock after ${deadlineMs / 60_000} minutes`,
      );
    if (lock.pid !== waitedFor && lock.pid !== 0) tell(`Waiting for ${what}: process ${lock.pid} makes it\n`);
    if (lock.pid !== 0) waitedFor = lock.pid;
    await Bun.sleep(200);
  }
}
