import { Deadline, pause } from '../system/deadline.ts';
import { reasonOf } from '../system/failure.ts';
import { getOnce } from '../transfer/http.ts';

export type Health = { isHealthy: true } | { isHealthy: false; reason: string };

const probeTimeoutMs = 5_000;
const probeBytes = 4_096;
const pauseMs = 500;
/** What the probe at the deadline itself still gets. */
const lastProbeMs = 500;

/** Asks once, from outside, as a client would. Never throws but when told to end. */
export async function probeHealth(
  url: string,
  signal: AbortSignal,
  timeoutMs = probeTimeoutMs,
): Promise<Health> {
  try {
    const { status, body } = await getOnce(url, { timeoutMs, maxBytes: probeBytes, signal });
    if (status >= 200 && status < 300) return { isHealthy: true };
    const firstLine = body.trim().split('\n')[0]?.slice(0, 200) ?? '';
    return { isHealthy: false, reason: `it answers ${status}${firstLine === '' ? '' : ` (${firstLine})`}` };
  } catch (error) {
    signal.throwIfAborted();
    return { isHealthy: false, reason: networkReason(error) };
  }
}

/** Asks until it is healthy or the deadline has come; the last reason is the answer then. */
export async function waitForHealth(url: string, deadlineMs: number, signal: AbortSignal): Promise<Health> {
  const deadline = new Deadline(deadlineMs);
  for (;;) {
    const timeoutMs = Math.min(probeTimeoutMs, Math.max(deadline.leftMs, lastProbeMs));
    const health = await probeHealth(url, signal, timeoutMs);
    if (health.isHealthy || deadline.isOver) return health;
    await pause(Math.min(pauseMs, deadline.leftMs), signal);
  }
}

function networkReason(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'it does not answer in time';
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const cause = error instanceof Error && error.cause !== undefined ? reasonOf(error.cause) : reasonOf(error);
  return code === 'ConnectionRefused' || /unable to connect|refused/i.test(cause)
    ? 'nothing answers there'
    : cause;
}
