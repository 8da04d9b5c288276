import { formatBytes } from '../system/disk.ts';
import { Failure } from '../system/failure.ts';
import type { Log } from '../system/log.ts';
import { type Ask, type Decision, decideAnswer } from './decide-answer.ts';
import type { Side } from './download.ts';
import { fetchFailure } from './fetch-failure.ts';
import { Intake, type IntakeOptions } from './intake.ts';
import { Line, type LineOptions } from './line.ts';
import { networkTrouble } from './network-reason.ts';
import { Patience } from './patience.ts';
import { afterBreak, afterWhole, firstPace, largestAtRate, type Pace } from './piece-size.ts';
import { rangeValidator } from './validators.ts';

export interface FetchOptions extends LineOptions, IntakeOptions {
  /** In a row, with nothing gained. */
  tries: number;
  /** What one request asks for at most, where the server's requests are counted. */
  mostPieceBytes?: number | undefined;
  log: Log;
}

/** So many bytes are a gain, less is none: a server that drips would be waited for without end. */
const worthwhileBytes = 16 * 1024;
/** A file that changes more often cannot be fetched. */
const mostBeginnings = 5;

/**
 * Fetches the file whole, over however many requests, and answers with what is known of it. What an earlier run has
 * proved on disk is gone on with where the server still has the same file. Throws a Failure.
 */
export async function fetchBundle(options: FetchOptions): Promise<{ path: string; side: Side }> {
  const intake = new Intake(options);
  try {
    const side = intake.resume();
    if (side !== undefined)
      options.log.info(
        `Going on at ${formatBytes(side.provenBytes)} of ${formatBytes(side.totalBytes ?? 0)}`,
      );
    await new Fetching(options, intake).run();
    return intake.finish();
  } finally {
    intake.forget();
  }
}

class Fetching {
  readonly #options: FetchOptions;
  readonly #intake: Intake;
  readonly #line: Line;
  readonly #patience: Patience;
  #pace: Pace;
  #mayRange = true;
  #beginnings = 0;

  constructor(options: FetchOptions, intake: Intake) {
    this.#options = options;
    this.#intake = intake;
    this.#line = new Line(options);
    this.#patience = new Patience(options);
    this.#pace = firstPace(options.mostPieceBytes);
  }

  async run(): Promise<void> {
    while (!(await this.#tryOnce()));
  }

  /** True when all of it has come. */
  async #tryOnce(): Promise<boolean> {
    const before = this.#intake.length;
    try {
      return await this.#request(this.#nextAsk());
    } catch (error) {
      this.#options.signal.throwIfAborted();
      if (error instanceof Failure) throw error;
      const { reason, isLasting } = networkTrouble(error);
      if (isLasting) throw fetchFailure(this.#options.url, reason, { outcome: 'failed' });
      this.#pace = afterBreak(this.#pace);
      this.#keep(before);
      await this.#patience.wait(reason);
      return false;
    }
  }

  #nextAsk(): Ask {
    if (!this.#mayRange) return { kind: 'whole' };
    const from = this.#intake.length;
    const left = (this.#intake.known?.totalBytes ?? Number.POSITIVE_INFINITY) - from;
    const most = largestAtRate(this.#options.bytesPerSecond, this.#options.mostPieceBytes);
    return { kind: 'range', from, bytes: Math.min(this.#pace.bytes, most, left) };
  }

  /** Without pieces nothing can be gone on with. */
  #keep(before: number): void {
    if (!this.#mayRange) return;
    this.#intake.prove();
    if (this.#intake.length - before >= worthwhileBytes) this.#patience.gained();
  }

  async #request(ask: Ask): Promise<boolean> {
    const { known } = this.#intake;
    if (known !== undefined && known.totalBytes === this.#intake.length) return true;
    const validator = known === undefined ? undefined : rangeValidator(known);
    const answer = await this.#line.ask({
      ...(ask.kind === 'range' ? { Range: `bytes=${ask.from}-${ask.from + ask.bytes - 1}` } : {}),
      ...(validator === undefined ? {} : { 'If-Range': validator }),
    });
    const { status, headers } = answer;
    const decision = decideAnswer(ask, known, { status, headers, now: new Date() });
    if (decision.kind === 'piece') {
      await this.#intake.takePiece(answer, decision);
      this.#pace = afterWhole(this.#pace, this.#options.mostPieceBytes);
      this.#patience.gained();
      return this.#intake.length === decision.totalBytes;
    }
    if (decision.kind === 'whole') {
      this.#mayRange = false;
      await this.#intake.takeWhole(answer, decision);
      return true;
    }
    await answer.close();
    return await this.#accept(decision);
  }

  async #accept(decision: Exclude<Decision, { kind: 'piece' | 'whole' }>): Promise<boolean> {
    switch (decision.kind) {
      case 'complete':
        return true;
      case 'again':
        await this.#patience.wait(decision.reason, decision.afterMs);
        return false;
      case 'anew':
        this.#beginAgain(decision.reason);
        return false;
      case 'no-range':
        this.#mayRange = false;
        this.#beginAgain(`${decision.reason}: it is fetched in one go`);
        return false;
      case 'give-up':
        throw fetchFailure(this.#options.url, decision.reason, decision);
    }
  }

  #beginAgain(reason: string): void {
    const { log, url } = this.#options;
    log.warn(`Beginning from the start: ${reason}`);
    this.#intake.forget();
    this.#beginnings += 1;
    if (this.#beginnings > mostBeginnings)
      throw fetchFailure(url, `it had to be begun ${this.#beginnings} times (${reason})`);
  }
}
