import type { Config } from '../../config/config.ts';
import { pause } from '../../system/deadline.ts';
import { Failure } from '../../system/failure.ts';
import { redact } from '../../system/redact.ts';
import { backoffMs, retryAfterMs } from './backoff.ts';
import { type Credentials, readCredentials } from './credentials.ts';
import { exchange } from './http.ts';
import { networkTrouble } from './network-reason.ts';
import { requirePrivacy } from './plain-http.ts';

/** A client of hawkBit's Direct Device Integration API: small requests and answers in JSON. */

export interface DdiServer {
  /** `…/{tenant}/controller/v1/{controllerId}`. */
  base: string;
  credentials: Credentials;
}

/** The server answered with an error status. */
export class DdiRefusal extends Failure {
  readonly status: number;

  constructor(url: string, status: number) {
    super(`Cannot ask "${redact(url)}": it answered ${status}${wordsOf[status] ?? ''}`, {
      outcome: 'tryLater',
      ...(status === 401 || status === 403 ? { advice: accessAdvice } : {}),
    });
    this.status = status;
  }
}

const wordsOf: Record<number, string> = {
  401: ', access denied',
  403: ', access denied',
  404: ', it does not know that',
  410: ', it is closed',
};
const accessAdvice =
  'See fleet_target_token_file, fleet_gateway_token_file and client_certificate_file in docs/fleet.md';

const timeoutMs = 30_000;
const mostBytes = 1024 * 1024;
const usualTries = 4;
const longestWaitMs = 60_000;
/** Statuses that may pass: two requests met in the server's database, too many at once, or the server is not available. */
const passing = [408, 409, 425, 429, 500, 502, 503, 504];

/** Reads the credentials. Throws a Failure if a secret would go over a network unencrypted. */
export function ddiServerOf(
  fleet: NonNullable<Config['update']['fleet']>,
  controllerId: string,
  { caFile, clientCertificateFile, clientKeyFile }: Config['update'],
): DdiServer {
  const credentials = readCredentials({
    caFile,
    clientCertificateFile,
    clientKeyFile,
    tokenFile: undefined,
    basicAuthFile: undefined,
    fleetTargetTokenFile: fleet.targetTokenFile,
    fleetGatewayTokenFile: fleet.gatewayTokenFile,
  });
  const base = `${fleet.url}/${encodeURIComponent(fleet.tenant)}/controller/v1/${encodeURIComponent(controllerId)}`;
  requirePrivacy(base, credentials.headers);
  return { base, credentials };
}

export class DdiLine {
  readonly server: DdiServer;
  readonly #signal: AbortSignal;
  readonly #tries: number;

  constructor(server: DdiServer, signal: AbortSignal, tries = usualTries) {
    this.server = server;
    this.#signal = signal;
    this.#tries = tries;
  }

  /** The parsed JSON of the answer; asks the base if no link is given. */
  async get(href = this.server.base): Promise<unknown> {
    const { body } = await this.#ask('GET', href);
    try {
      return JSON.parse(body);
    } catch {
      throw new Failure(`Cannot ask "${redact(href)}": it does not answer in JSON`, { outcome: 'tryLater' });
    }
  }

  async send(method: 'POST' | 'PUT', href: string, content: unknown): Promise<void> {
    await this.#ask(method, href, JSON.stringify(content));
  }

  /** Uses the configured origin: a server behind a proxy may put another host into its links. */
  #urlOf(href: string): string {
    const link = new URL(href, this.server.base);
    const home = new URL(this.server.base);
    return `${home.origin}${link.pathname}${link.search}`;
  }

  async #ask(method: 'GET' | 'POST' | 'PUT', href: string, body?: string): Promise<{ body: string }> {
    const url = this.#urlOf(href);
    for (let tried = 1; ; tried += 1) {
      const answer = await this.#tryOnce(method, url, body);
      if (answer.kind === 'answered') return answer;
      if (tried >= this.#tries || !answer.isPassing || (answer.afterMs ?? 0) > longestWaitMs)
        throw answer.failure;
      await pause(Math.max(answer.afterMs ?? 0, backoffMs(tried, Math.random())), this.#signal);
    }
  }

  async #tryOnce(method: 'GET' | 'POST' | 'PUT', url: string, body: string | undefined): Promise<Tried> {
    const { headers, tls } = this.server.credentials;
    try {
      const answer = await exchange(url, {
        method,
        headers: {
          ...headers,
          Accept: 'application/json',
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        },
        tls,
        body,
        timeoutMs,
        maxBytes: mostBytes,
        signal: this.#signal,
      });
      const { status } = answer;
      if (status >= 200 && status < 300) return { kind: 'answered', body: answer.body };
      return {
        kind: 'refused',
        failure: new DdiRefusal(url, status),
        isPassing: passing.includes(status),
        afterMs: retryAfterMs(answer.headers.get('retry-after'), new Date()),
      };
    } catch (error) {
      this.#signal.throwIfAborted();
      if (error instanceof Failure) throw error;
      const { reason, isLasting } = networkTrouble(error);
      const failure = new Failure(`Cannot ask "${redact(url)}": ${reason}`, { outcome: 'tryLater' });
      return { kind: 'refused', failure, isPassing: !isLasting, afterMs: undefined };
    }
  }
}

type Tried =
  | { kind: 'answered'; body: string }
  | { kind: 'refused'; failure: Failure; isPassing: boolean; afterMs: number | undefined };
