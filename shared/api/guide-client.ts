import { Failure } from '../system/failure.ts';
import type { JobStanding } from './job.ts';
import { json } from './json.ts';
import { problemWith } from './problem.ts';
import type { Report } from './status-reader.ts';

/**
 * The answers that the integration guide's client knows. It names the bundle in the query, waits for the end, and takes any
 * 2xx for "installed"; its status is RAUC's.
 */

/** RFC 7240: the client asks for the job, and does not wait. */
export function prefersJob(headers: Headers): boolean {
  const wishes = (headers.get('prefer') ?? '').split(',');
  return wishes.some((wish) => wish.split(';')[0]?.trim().toLowerCase() === 'respond-async');
}

/** The guide's answer to an install that has ended: 200 with `status` and `message`, or 500 with `detail`. */
export function guideAnswerOf({
  state,
  reason = 'it ended without a message',
  outcome,
}: JobStanding): Response {
  if (state === 'done') return json({ status: 'success', message: reason });
  return problemWith(500, reason, outcome ?? 'failed');
}

/** RAUC's status, and ours below `homie`. Throws a Failure where RAUC has not answered since the boot. */
export function raucStatusOf({ rauc, ...homie }: Report): Readonly<Record<string, unknown>> {
  if (rauc !== null) return { ...rauc, homie };
  const reason = homie.slotsProblem ?? 'RAUC has not answered yet';
  throw new Failure(reason, { outcome: 'tryLater', advice: 'Ask again in a moment' });
}
