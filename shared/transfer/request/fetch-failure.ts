import type { Outcome } from '../../system/exit-code.ts';
import { Failure } from '../../system/failure.ts';
import { redact } from '../../system/redact.ts';

/** The same form for every failed fetch; `tryLater` by default, because most causes pass. */
export function fetchFailure(
  url: string,
  reason: string,
  { outcome = 'tryLater', advice }: { outcome?: Outcome; advice?: string } = {},
): Failure {
  return new Failure(`Cannot fetch "${redact(url)}": ${reason}`, {
    outcome,
    ...(advice === undefined ? {} : { advice }),
  });
}
