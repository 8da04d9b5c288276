import { Failure } from '../../system/failure.ts';
import { formatBytes } from '../../system/files/disk.ts';
import type { Log } from '../../system/terminal/log.ts';
import { type Answer, Connection, type ConnectionOptions } from '../request/connection.ts';
import { fetchFailure } from '../request/fetch-failure.ts';
import { networkTrouble } from '../request/network-reason.ts';
import { afterBreak, afterWhole, atRate, type Concurrency, firstPace, oneByOne } from './concurrency.ts';
import { type Ask, type Decision, decideAnswer } from './decide-answer.ts';
import { type DownloadState, rangesIn } from './download-notes.ts';
import { DownloadSink, type IntakeOptions } from './download-sink.ts';
import { nextPiece, type Standing, shouldProve } from './next-range.ts';
import { bytesIn, type Range } from './ranges.ts';
import { RetryBudget } from './retry-budget.ts';
import { rangeValidator } from './validators.ts';

export interface FetchOptions extends ConnectionOptions, IntakeOptions {
  /** Tries in a row without progress. */
  tries: number;
  log: Log;
}

/** Fewer bytes are no progress: a server that sends only a few bytes each time would be asked without end. */
const worthwhileBytes = 16 * 1024;
/** A fetch that has to start again more often fails. */
const mostBeginnings = 5;

/**
 * Fetches the whole file, in as many requests as needed, and returns its path and its note. Resumes the download of
 * an earlier run if the server still has the same file. Throws a Failure.
 */
export async function fetchBundle(options: FetchOptions): Promise<{ path: string; side: DownloadState }> {
  const intake = new DownloadSink(options);
  try {
    const side = await intake.resume();
    if (side !== undefined)
      options.log.info(
        `Resuming at ${formatBytes(bytesIn(rangesIn(side)))} of ${formatBytes(side.totalBytes ?? 0)}`,
      );
    await new Fetching(options, intake).run();
    return await intake.finish();
  } finally {
    await intake.forget();
  }
}

/** Why no new request is sent until all running ones have ended or are abandoned. */
type Setback =
  | { kind: 'break'; reason: string; isTurnedAway: boolean }
  | { kind: 'answer'; decision: Exclude<Decision, { kind: 'piece' | 'whole' }> }
  | { kind: 'failure'; error: unknown };

const severities = { break: 0, passing: 1, final: 2, failure: 3 };

function severityOf(setback: Setback): number {
  if (setback.kind !== 'answer') return severities[setback.kind];
  return setback.decision.kind === 'again' ? severities.passing : severities.final;
}

class Fetching {
  readonly #options: FetchOptions;
  readonly #intake: DownloadSink;
  readonly #line: Connection;
  readonly #patience: RetryBudget;
  #pace: Concurrency = firstPace;
  #mayRange = true;
  #isWhole = false;
  #beginnings = 0;
  readonly #asked = new Set<Range>();
  /** Ends all running requests. */
  #cut = new AbortController();
  #setback: Setback | undefined;
  #hasServedSince = false;
  #changed = Promise.withResolvers<void>();

  constructor(options: FetchOptions, intake: DownloadSink) {
    this.#options = options;
    this.#intake = intake;
    this.#line = new Connection(options);
    this.#patience = new RetryBudget({
      ...options,
      isResumable: () => this.#mayRange && intake.isResumable,
    });
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    const onAbort = (): void => this.#setBack({ kind: 'failure', error: signal.reason });
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      while (!this.#isComplete()) {
        if (this.#setback === undefined) this.#askForMore();
        else if (this.#asked.size === 0) {
          await this.#overcome(this.#setback);
          continue;
        }
        await this.#changed.promise;
        this.#changed = Promise.withResolvers();
      }
    } catch (error) {
      await this.#keep();
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  #isComplete(): boolean {
    if (this.#asked.size > 0 || this.#setback?.kind === 'failure') return false;
    return this.#isWhole || this.#intake.known?.totalBytes === this.#intake.length;
  }

  #standing(): Standing {
    const { written, proven, known } = this.#intake;
    return { written, proven, asked: [...this.#asked], totalBytes: known?.totalBytes };
  }

  #askForMore(): void {
    if (!this.#mayRange) {
      if (this.#asked.size === 0) void this.#fetch({ kind: 'whole' }, { from: 0, to: 0 });
      return;
    }
    for (;;) {
      const { largePieceBytes, bytesPerSecond } = this.#options;
      const piece = nextPiece(this.#standing(), atRate(this.#pace, bytesPerSecond), largePieceBytes);
      if (piece === undefined) break;
      void this.#fetch({ kind: 'range', from: piece.from, bytes: piece.to - piece.from }, piece);
    }
    this.#proveWhereDue();
  }

  /** Never throws: every error becomes a setback. */
  async #fetch(ask: Ask, range: Range): Promise<void> {
    this.#asked.add(range);
    const startedMs = performance.now();
    let taken = 0;
    let answer: Answer | undefined;
    try {
      const { known } = this.#intake;
      const validator = known === undefined ? undefined : rangeValidator(known);
      const headers = {
        ...(ask.kind === 'range' ? { Range: `bytes=${range.from}-${range.to - 1}` } : {}),
        ...(validator === undefined ? {} : { 'If-Range': validator }),
      };
      answer = await this.#line.ask(headers, this.#cut.signal);
      const decision = decideAnswer(ask, known, {
        status: answer.status,
        headers: answer.headers,
        now: new Date(),
      });
      const onTaken = (bytes: number): void => {
        taken += bytes;
        this.#proveWhereDue();
      };
      if (decision.kind === 'piece') {
        await this.#intake.takePiece(answer, decision, range.from, onTaken);
        this.#pace = afterWhole(this.#pace, (taken / (performance.now() - startedMs)) * 1000);
        this.#hasServedSince = true;
        this.#patience.gained();
      } else if (decision.kind === 'whole') {
        this.#mayRange = false;
        await this.#intake.takeWhole(answer, decision, onTaken);
        this.#isWhole = true;
      } else {
        await answer.close();
        this.#setBack({ kind: 'answer', decision });
      }
    } catch (error) {
      if (this.#mayRange && taken >= worthwhileBytes) this.#patience.gained();
      this.#setBack(this.#setbackOf(error, answer === undefined && this.#asked.size > 1));
    } finally {
      this.#asked.delete(range);
      this.#changed.resolve();
    }
  }

  #setbackOf(error: unknown, isTurnedAway: boolean): Setback {
    if (error instanceof Failure) return { kind: 'failure', error };
    const { reason, isLasting } = networkTrouble(error);
    if (!isLasting) return { kind: 'break', reason, isTurnedAway };
    return { kind: 'failure', error: fetchFailure(this.#options.url, reason, { outcome: 'failed' }) };
  }

  /** Keeps the first setback, unless a worse one follows; a request that breaks because all were ended does not count. */
  #setBack(setback: Setback): void {
    if (this.#setback === undefined) this.#hasServedSince = false;
    else if (severityOf(setback) <= severityOf(this.#setback)) return;
    this.#setback = setback;
    if (severityOf(setback) > severities.passing) this.#cut.abort(new Error('it is given up'));
    this.#changed.resolve();
  }

  /** Called when no request is running any more. */
  async #overcome(setback: Setback): Promise<void> {
    this.#setback = undefined;
    this.#cut = new AbortController();
    switch (setback.kind) {
      case 'failure':
        throw setback.error;
      case 'answer':
        return await this.#accept(setback.decision);
      case 'break':
        this.#pace = afterBreak(this.#pace);
        if (setback.isTurnedAway && this.#hasServedSince) this.#pace = oneByOne(this.#pace);
        if (this.#mayRange) await this.#intake.prove();
        return await this.#patience.wait(setback.reason);
    }
  }

  async #accept(decision: Exclude<Decision, { kind: 'piece' | 'whole' }>): Promise<void> {
    switch (decision.kind) {
      case 'again':
        this.#pace = oneByOne(this.#pace);
        return await this.#patience.wait(decision.reason, decision.afterMs);
      case 'anew':
        return await this.#beginAgain(decision.reason);
      case 'no-range':
        this.#mayRange = false;
        return await this.#beginAgain(`${decision.reason}: it is downloaded in one request`);
      case 'give-up':
        throw fetchFailure(this.#options.url, decision.reason, decision);
    }
  }

  async #beginAgain(reason: string): Promise<void> {
    const { log, url } = this.#options;
    log.warn(`Starting the download again from the beginning: ${reason}`);
    await this.#intake.forget();
    this.#beginnings += 1;
    if (this.#beginnings > mostBeginnings)
      throw fetchFailure(url, `it started from the beginning ${this.#beginnings} times (${reason})`);
  }

  #proveWhereDue(): void {
    if (!shouldProve(this.#standing())) return;
    const proof = this.#intake.startProof();
    if (proof === undefined) return;
    proof.then(
      () => this.#changed.resolve(),
      (error) => this.#setBack({ kind: 'failure', error }),
    );
  }

  /** After any failure the next run can resume from here, after a power cut too. */
  async #keep(): Promise<void> {
    // The first failure is the one to report.
    if (this.#mayRange) await this.#intake.prove().catch(() => {});
    else if (!this.#intake.isResumable) await this.#intake.discard();
  }
}
