import type { Outcome } from '../../system/exit-code.ts';
import { retryAfterMs } from '../request/backoff.ts';
import { isSameState, type Validators, validatorsIn } from './validators.ts';

/** What a request asked for: bytes of the file, or all of it without a Range. */
export type Ask = { kind: 'range'; from: number; bytes: number } | { kind: 'whole' };

/** What is known of the file that the bytes on disk belong to; undefined before the first answer. */
export interface Known extends Validators {
  totalBytes: number;
}

export interface Facts {
  status: number;
  headers: Headers;
  now: Date;
}

export type Decision =
  /** The body is the range that was asked for. */
  | ({ kind: 'piece'; bytes: number } & Known)
  /** The body is the whole file; its length is known only if the server gives it. */
  | ({ kind: 'whole'; totalBytes: number | undefined } & Validators)
  /** The bytes on disk belong to another file: start again. */
  | { kind: 'anew'; reason: string }
  /** The server does not serve pieces: fetch the whole file at once, without a Range. */
  | { kind: 'no-range'; reason: string }
  | { kind: 'again'; reason: string; afterMs: number | undefined }
  | { kind: 'give-up'; reason: string; outcome: Outcome; advice: string };

/**
 * Decides whether an answer is what was asked for. Everything that can be checked is checked: the range, the length,
 * the tag, the kind of content. The request had an `If-Range` if bytes were known.
 */
export function decideAnswer(ask: Ask, known: Known | undefined, facts: Facts): Decision {
  const { status, headers } = facts;
  if (status >= 300 && status !== 416) return decideRefusal(facts);
  if (status === 416) return decideUnsatisfiable(ask, headers);
  if (status !== 200 && status !== 206) return giveUp(`it answered ${status}, which is no file`);
  const wrongContent = findWrongContent(headers);
  if (wrongContent !== undefined) return wrongContent;
  return status === 200 ? decideWhole(ask, known, headers) : decidePiece(ask, known, headers);
}

function decideWhole(ask: Ask, known: Known | undefined, headers: Headers): Decision {
  const validators = validatorsIn(headers);
  if (ask.kind === 'range' && known !== undefined) {
    return isSameState(known, validators)
      ? { kind: 'no-range', reason: 'it no longer answers with the requested range' }
      : { kind: 'anew', reason: 'the file on the server has changed' };
  }
  const totalBytes = lengthIn(headers);
  return totalBytes === 0 ? empty : { kind: 'whole', totalBytes, ...validators };
}

function decidePiece(ask: Ask, known: Known | undefined, headers: Headers): Decision {
  if (ask.kind === 'whole') return giveUp('it answered with a piece (206) where all was asked for');
  const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers.get('content-range')?.trim() ?? '');
  if (range === null) return noRange('its answer does not say which piece it is');
  const [from = 0, last = 0, totalBytes = 0] = range.slice(1).map(Number);
  const validators = validatorsIn(headers);
  const bytes = last - from + 1;
  const length = lengthIn(headers);
  if (
    from !== ask.from ||
    last < from ||
    bytes > ask.bytes ||
    last >= totalBytes ||
    (length ?? bytes) !== bytes
  ) {
    const given = `${from}-${last}/${totalBytes}${length === undefined ? '' : `, ${length} bytes`}`;
    return noRange(`it answered with another piece (${given}) than bytes from ${ask.from}`);
  }
  if (known !== undefined && totalBytes !== known.totalBytes)
    return { kind: 'anew', reason: `the file had ${known.totalBytes} bytes, now it has ${totalBytes}` };
  if (known !== undefined && hasOther(known, validators))
    return { kind: 'anew', reason: 'the file on the server has changed' };
  if (validators.etag === null && validators.lastModified === null)
    return noRange('it gives neither ETag nor Last-Modified, so that pieces may be of different files');
  return { kind: 'piece', bytes, totalBytes, ...validators };
}

/** A server may omit a validator that it sent before, but must not send a different one. */
function hasOther(known: Validators, now: Validators): boolean {
  const isOther = (one: string | null, other: string | null): boolean =>
    one !== null && other !== null && one !== other;
  return isOther(known.etag, now.etag) || isOther(known.lastModified, now.lastModified);
}

function decideUnsatisfiable(ask: Ask, headers: Headers): Decision {
  if (ask.kind === 'whole') return giveUp('it answered 416 although no piece was asked for');
  const total = /^bytes \*\/(\d+)$/.exec(headers.get('content-range')?.trim() ?? '')?.[1];
  if (ask.from > 0) return { kind: 'anew', reason: 'the file on the server has become shorter' };
  return total === '0' ? empty : noRange('it answers 416 to the first piece');
}

function decideRefusal({ status, headers, now }: Facts): Decision {
  if (status === 401 || status === 403)
    return giveUp(
      `it answered ${status}: access denied`,
      'failed',
      'See token_file, basic_auth_file and client_certificate_file in docs/configuration.md',
    );
  if (status === 404 || status === 410)
    return giveUp(
      `it answered ${status}: there is no such file`,
      'failed',
      'Compare the URL with update.url in orchestrator.yaml',
    );
  const isPassing = status >= 500 || status === 408 || status === 425 || status === 429;
  if (isPassing)
    return {
      kind: 'again',
      reason: `it answered ${status}`,
      afterMs: retryAfterMs(headers.get('retry-after'), now),
    };
  return giveUp(`it answered ${status}`);
}

/** A portal's login page, an index, or an error page with status 200. */
function findWrongContent(headers: Headers): Decision | undefined {
  const type = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
  if (type === 'text/html' || type === 'application/xhtml+xml') return page;
  const codings = (headers.get('content-encoding') ?? '').split(',').map((name) => name.trim().toLowerCase());
  // An empty header, or `identity` in a list, changes no byte.
  const encoding = codings.filter((name) => name !== '' && name !== 'identity').join(', ');
  return encoding === '' ? undefined : giveUp(`it compresses the bundle (${encoding}) though it must not`);
}

const page: Decision = {
  kind: 'give-up',
  reason: 'it answered with a web page, not with a bundle',
  outcome: 'tryLater',
  advice: 'A login page of the network, or a wrong URL',
};

/** Recognises a web page regardless of its content type: no bundle begins like one. Undefined if it is none. */
export function findPage(firstBytes: Uint8Array): Extract<Decision, { kind: 'give-up' }> | undefined {
  const head = Buffer.from(firstBytes.subarray(0, 256))
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '')
    .trimStart();
  return /^<(!doctype|html|head|body|\?xml|!--)/i.test(head) && page.kind === 'give-up' ? page : undefined;
}

function lengthIn(headers: Headers): number | undefined {
  const length = headers.get('content-length');
  return length !== null && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}

function noRange(reason: string): Decision {
  return { kind: 'no-range', reason };
}

/** As for an empty file from anywhere else; the server is not asked again for it. */
const empty = giveUp('the file is empty', 'failed', 'Put the bundle on the server again');

function giveUp(
  reason: string,
  outcome: Outcome = 'tryLater',
  advice = 'See the log of the server',
): Decision {
  return { kind: 'give-up', reason, outcome, advice };
}
