import type { ChildProcess } from 'node:child_process';

export interface Limits {
  deadlineMs: number;
  signal?: AbortSignal | undefined;
  /** Settles when the child's stdin is written; if it fails, the child is ended. */
  feeding?: Promise<void> | undefined;
}

/** Why a child had to be ended. */
export type Cut = 'too late' | 'told to end' | 'input failed';

const killGraceMs = 3_000;
/** After SIGKILL only a child that hangs in the kernel is still there, and it may hang for ever. */
const unkillableMs = 200;
/** A service that the child has left behind may keep our pipe open as long as it lives. */
const drainMs = 1_000;

/**
 * Waits until the child has ended and its output is read. Returns the reason if the child had to be ended: its
 * process group then got SIGTERM, and SIGKILL after the grace. zx's own timeout walks the process tree with `ps` and
 * never escalates; a process group of the child needs no `ps`.
 */
export async function endedInTime(
  child: ChildProcess,
  closed: PromiseLike<unknown>,
  { deadlineMs, signal, feeding }: Limits,
): Promise<Cut | undefined> {
  const lost = Promise.withResolvers<void>();
  let cut: Cut | undefined;
  let draining: NodeJS.Timeout | undefined;
  let killing: NodeJS.Timeout | undefined;

  const end = (why: Cut): void => {
    if (cut !== undefined) return;
    cut = why;
    signalGroup(child, 'SIGTERM');
    killing = setTimeout(() => {
      signalGroup(child, 'SIGKILL');
      killing = setTimeout(() => lost.resolve(), unkillableMs);
    }, killGraceMs);
  };
  const deadline = setTimeout(() => end('too late'), deadlineMs);
  const onAbort = (): void => end('told to end');
  signal?.addEventListener('abort', onAbort, { once: true });
  feeding?.catch(() => end('input failed'));
  child.once('exit', () => {
    if (cut === undefined) draining = setTimeout(() => letGo(child), drainMs);
  });
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', () => draining?.refresh());

  try {
    await Promise.race([closed, lost.promise]);
    if (cut !== undefined) {
      signalGroup(child, 'SIGKILL');
      letGo(child);
    }
    return cut;
  } finally {
    clearTimeout(deadline);
    clearTimeout(killing);
    clearTimeout(draining);
    signal?.removeEventListener('abort', onAbort);
  }
}

function letGo(child: ChildProcess): void {
  child.stdin?.destroy();
  child.stdout?.destroy();
  child.stderr?.destroy();
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group has ended by itself.
  }
}
