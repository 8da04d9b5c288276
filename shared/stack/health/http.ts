import { reasonOf } from '../../system/failure.ts';
import { getOnce } from '../../transfer/request/http.ts';
import { type HealthCheck, type HealthResult, healthy, unhealthy } from './check.ts';

const budgetMs = 5_000;
/** Longer than any health message; a truncated answer is no valid JSON, and then the status decides. */
const mostBytes = 65_536;
const longestWords = 200;
const badStatus = /^(?:unhealthy|error|starting)$/i;

/** Asks the application from outside, as a client would. */
export function httpCheck(url: string): HealthCheck {
  return { name: 'http', isRequired: true, budgetMs, run: (signal) => probeHealth(url, signal) };
}

/** Asks once. Throws only when the signal is aborted. */
export async function probeHealth(
  url: string,
  signal: AbortSignal,
  timeoutMs = budgetMs,
): Promise<HealthResult> {
  try {
    return judgeAnswer(await getOnce(url, { timeoutMs, maxBytes: mostBytes, signal }));
  } catch (error) {
    signal.throwIfAborted();
    return unhealthy(networkReason(error));
  }
}

/** 2xx is healthy, unless its JSON has an unhealthy value in a field `status`. */
export function judgeAnswer({ status, body }: { status: number; body: string }): HealthResult {
  if (status < 200 || status > 299) {
    const firstLine = body.trim().split('\n')[0]?.slice(0, longestWords) ?? '';
    return unhealthy(`it answers ${status}${firstLine === '' ? '' : ` (${firstLine})`}`);
  }
  const said = statusIn(body);
  return said !== undefined && badStatus.test(said) ? unhealthy(`it says that it is "${said}"`) : healthy;
}

function statusIn(body: string): string | undefined {
  try {
    const content: unknown = JSON.parse(body);
    return typeof content === 'object' && content !== null && 'status' in content
      ? String(content.status)
      : undefined;
  } catch {
    return undefined;
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
