import type { Credentials } from './credentials.ts';
import { openFollowed } from './follow.ts';
import { GcPressure } from './gc-pressure.ts';
import type { OpenAnswer } from './http.ts';
import { RateLimit } from './rate-limit.ts';
import { StallWatch } from './stall-watch.ts';

export interface ConnectionOptions {
  url: string;
  credentials: Credentials;
  /** How long almost nothing may arrive. */
  stallMs: number;
  bytesPerSecond?: number | undefined;
  /** One request at a time, each for this many bytes: for a server that counts requests. */
  largePieceBytes?: number | undefined;
  signal: AbortSignal;
}

export interface Answer {
  status: number;
  headers: Headers;
  read(): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

/** Requests for one URL: none waits longer than the stall time, none is faster than the rate. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #rate: RateLimit;
  readonly #litter = new GcPressure();
  /** The URL after redirects: the next request goes there directly. */
  #there: string;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#rate = new RateLimit(options.bytesPerSecond);
    this.#there = options.url;
  }

  /**
   * Sends one request. The caller has to read the answer to its end, or close it; `signal` ends this request. Throws
   * the network's error, or Stalled.
   */
  async ask(headers: Record<string, string>, signal = this.#options.signal): Promise<Answer> {
    const { stallMs } = this.#options;
    const cut = new AbortController();
    const onAbort = (): void => cut.abort(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    const done = (): void => signal.removeEventListener('abort', onAbort);
    const watch = new StallWatch(stallMs);
    const giveUp = (reason: unknown): void => cut.abort(reason);
    try {
      const answer = await watch.wait(
        () => this.#open(headers, cut.signal),
        giveUp,
        () => 0,
      );
      return {
        status: answer.status,
        headers: answer.headers,
        read: async () => {
          const bytes = await watch.wait(answer.read, giveUp, (chunk) => chunk?.length ?? 0);
          if (bytes === undefined) {
            done();
            return undefined;
          }
          this.#litter.add(bytes.length);
          await this.#rate.took(bytes.length, signal);
          return bytes;
        },
        close: async () => {
          done();
          await answer.close();
        },
      };
    } catch (error) {
      done();
      throw error;
    }
  }

  /** Falls back to the first URL: redirects may lead to a signed URL, which is valid for a while only. */
  async #open(headers: Record<string, string>, signal: AbortSignal): Promise<OpenAnswer> {
    const { url: home, credentials } = this.#options;
    const options = { headers, credentials, signal };
    const first = await openFollowed(home, this.#there, options);
    if (this.#there === home || first.answer.status < 400 || first.answer.status === 416) {
      this.#there = first.url;
      return first.answer;
    }
    await first.answer.close();
    const again = await openFollowed(home, home, options);
    this.#there = again.url;
    return again.answer;
  }
}
