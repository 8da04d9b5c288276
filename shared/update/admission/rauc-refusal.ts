import { kindOfRefusal } from '../../rauc/bundle-refusal.ts';
import { readLastError } from '../../rauc/last-error.ts';
import { bootId, type Places } from '../../system/places.ts';
import type { Log } from '../../system/terminal/log.ts';
import { type LoggedRefusal, logRefusal, readRefusals } from './refusal-log.ts';

const source = 'a bundle given to rauc install';

/**
 * Finds the refusal of a signature that none of our programs has seen: a user or another program called RAUC directly, and RAUC
 * runs no handler and no hook for a bundle that is not trusted. A refusal that one of our programs has noted in this boot is
 * not reported again.
 */
export function findDirectRefusal(
  lastError: string | undefined,
  { refusals, bootId, now }: { refusals: readonly LoggedRefusal[]; bootId: string; now: Date },
): LoggedRefusal | undefined {
  if (lastError === undefined || kindOfRefusal(lastError) !== 'untrusted') return undefined;
  const isNoted = refusals.some((one) => one.bootId === bootId && one.reason.includes(lastError));
  if (isNoted) return undefined;
  const at = now.toISOString();
  return { format: 1, at, bootId, outcome: 'signature', source, version: null, reason: lastError };
}

/**
 * Notes RAUC's last error, which RAUC's service forgets at the next install and at a reboot. Only for callers that may write.
 */
export async function noteDirectRefusal(places: Places, log: Log): Promise<void> {
  const facts = { refusals: readRefusals(places), bootId: bootId(), now: new Date() };
  const refusal = findDirectRefusal(await readLastError(), facts);
  if (refusal !== undefined) logRefusal(places, refusal, log);
}
