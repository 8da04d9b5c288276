import { Deadline, pause } from '../../../shared/system/deadline.ts';
import { Failure } from '../../../shared/system/failure.ts';

export interface Patience {
  deadlineMs?: number;
  everyMs?: number;
  signal?: AbortSignal | undefined;
}

/** Asks until the answer is neither undefined nor false, and answers with it. Throws Failure at the deadline. */
export async function waitFor<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  { deadlineMs = 30_000, everyMs = 50, signal }: Patience = {},
): Promise<T> {
  const deadline = new Deadline(deadlineMs);
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (deadline.isOver) throw new Failure(`Cannot wait for ${what}: not so after ${deadlineMs / 1000} s`);
    await pause(everyMs, signal);
  }
}
