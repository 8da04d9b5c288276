import { exitCodeOf, type Outcome } from '../system/exit-code.ts';
import { Failure, reasonOf } from '../system/failure.ts';
import { redact } from '../system/redact.ts';

/** Errors in the form of RFC 9457: the reason in one line, and never a stack. */

/** A request that is answered with no more than an error. */
export class HttpRefusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail);
    this.status = status;
    this.headers = headers;
  }
}

/** The HTTP status for each outcome of an update program. */
const statuses: Record<Outcome, number> = {
  done: 200,
  rebootNeeded: 200,
  failed: 502,
  usage: 400,
  busy: 409,
  incompatible: 422,
  noSpace: 507,
  signature: 422,
  outsideWindow: 409,
  inhibited: 409,
  unhealthy: 503,
  tryLater: 503,
  rolledBack: 409,
};

/** The type of a problem that has an outcome; all others have only a status, and the type "about:blank". */
function problemType(outcome: Outcome): string {
  return `urn:homie:update:${outcome}`;
}

/** The answer for any error. Only an unexpected error is a 500, and its answer contains no internal details. */
export function problemOf(error: unknown): Response {
  if (error instanceof HttpRefusal) {
    const { status, message, headers } = error;
    return problem({ type: 'about:blank', title: titleOf(status), status, detail: message }, headers);
  }
  if (error instanceof Failure) {
    const { outcome, advice } = error;
    const status = statuses[outcome];
    return problem({
      type: problemType(outcome),
      title: titleOf(status),
      status,
      detail: redact(reasonOf(error)),
      ...(advice !== undefined && { advice }),
      outcome,
      exitCode: exitCodeOf(outcome),
    });
  }
  const detail = 'Cannot answer: this is a bug of ours, the log has the details';
  return problem({ type: 'about:blank', title: titleOf(500), status: 500, detail });
}

/** A job's end as an error, with a status other than its outcome's usual one. */
export function problemWith(status: number, detail: string, outcome: Outcome): Response {
  const exitCode = exitCodeOf(outcome);
  return problem({ type: problemType(outcome), title: titleOf(status), status, detail, outcome, exitCode });
}

interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  advice?: string;
  outcome?: Outcome;
  exitCode?: number;
}

function problem(body: Problem, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(`${JSON.stringify(body)}\n`, {
    status: body.status,
    headers: { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store', ...headers },
  });
}

const titles: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  507: 'Insufficient Storage',
};

function titleOf(status: number): string {
  return titles[status] ?? 'Error';
}
