import { Failure } from '../../system/failure.ts';
import type { Log } from '../../system/terminal/log.ts';
import { decideAnswer } from '../download/decide-answer.ts';
import { RetryBudget } from '../download/retry-budget.ts';
import { unlessSame, type Validators } from '../download/validators.ts';
import { Connection, type ConnectionOptions } from '../request/connection.ts';
import { fetchFailure } from '../request/fetch-failure.ts';
import { networkTrouble } from '../request/network-reason.ts';

/** What the server offers at the URL, found out without fetching the file. */
export type RemoteFile =
  | { kind: 'unchanged' }
  | ({ kind: 'offered'; totalBytes: number | undefined } & Validators);

export interface OfferOptions extends ConnectionOptions {
  /** The state of the file that the device already has. */
  have: Validators | undefined;
  tries: number;
  log: Log;
}

const notModified = 304;

/** Asks for one byte: unlike HEAD, every server answers that as it would answer for the file itself. Throws a Failure. */
export async function askForFile(options: OfferOptions): Promise<RemoteFile> {
  const { url, have, signal } = options;
  const line = new Connection(options);
  const patience = new RetryBudget(options);
  for (;;) {
    try {
      const answer = await line.ask({ Range: 'bytes=0-0', ...(have === undefined ? {} : unlessSame(have)) });
      await answer.close();
      const { status, headers } = answer;
      if (status === notModified && have !== undefined) return { kind: 'unchanged' };
      const decision = decideAnswer({ kind: 'range', from: 0, bytes: 1 }, undefined, {
        status,
        headers,
        now: new Date(),
      });
      if (decision.kind === 'give-up') throw fetchFailure(url, decision.reason, decision);
      if (decision.kind === 'again') {
        await patience.wait(decision.reason, decision.afterMs);
        continue;
      }
      if (decision.kind === 'piece' || decision.kind === 'whole') {
        const { totalBytes, etag, lastModified } = decision;
        return { kind: 'offered', totalBytes, etag, lastModified };
      }
      return { kind: 'offered', totalBytes: undefined, etag: null, lastModified: null };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Failure) throw error;
      const { reason, isLasting } = networkTrouble(error);
      if (isLasting) throw fetchFailure(url, reason, { outcome: 'failed' });
      await patience.wait(reason);
    }
  }
}
