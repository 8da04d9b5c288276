import { exitCodeOf, type Outcome } from '../../system/exit-code.ts';
import { Failure, reasonOf } from '../../system/failure.ts';
import type { Places } from '../../system/places.ts';
import { ToldToEnd } from '../../system/process/program.ts';
import { redact } from '../../system/redact.ts';
import type { Log } from '../../system/terminal/log.ts';
import { StatusLine } from '../../system/terminal/status-line.ts';
import { type Phase, type Progress, writeProgress } from './progress.ts';
import { bar, percentOf, secondsLeft, TransferRate, transferWords } from './transfer-rate.ts';

/** The file and the terminal are updated at most once in this time. */
const betweenMs = 400;
const barWidth = 24;
/** Without a terminal, a fetch logs a line this often. */
const linesEveryPercent = 10;
const linesEveryMs = 60_000;

/** Shows how far the install is: a moving line on the terminal, plain lines in a log, and a file for the API. */
export class LiveProgress {
  /** Its lines appear above the moving line. */
  readonly log: Log;
  readonly #places: Places;
  readonly #line = new StatusLine();
  #rate = new TransferRate();
  #progress: Progress;
  #writtenMs = 0;
  #told = { percent: 0, atMs: performance.now() };
  #isBroken = false;

  constructor(places: Places, log: Log, source: string) {
    this.#places = places;
    this.log = this.#line.above(log);
    this.#progress = {
      format: 1,
      pid: process.pid,
      startedAt: new Date().toISOString(),
      source: redact(source),
      version: null,
      phase: 'checking',
      percent: null,
      message: 'Checking whether an update may run',
    };
    this.#write();
  }

  /** Keeps the known version, and forgets the figures of the previous phase. */
  enter(phase: Phase, message: string, version = this.#progress.version): void {
    const { format, pid, startedAt, source } = this.#progress;
    this.#progress = { format, pid, startedAt, source, version, phase, percent: null, message };
    this.#rate = new TransferRate();
    this.#told = { percent: 0, atMs: performance.now() };
    this.#write();
  }

  fetched(bytes: number, totalBytes: number | undefined): void {
    const nowMs = performance.now();
    if (nowMs - this.#writtenMs < betweenMs && bytes !== totalBytes) return;
    const bytesPerSecond = this.#rate.at(nowMs, bytes);
    const transfer = { bytes, totalBytes, bytesPerSecond };
    const left = secondsLeft(transfer);
    const percent = percentOf(transfer);
    const words = transferWords(transfer);
    this.#progress = {
      ...this.#progress,
      percent: percent ?? null,
      message: `Fetching: ${words}`,
      bytes,
      ...(totalBytes === undefined ? {} : { totalBytes }),
      ...(bytesPerSecond === undefined ? {} : { bytesPerSecond: Math.round(bytesPerSecond) }),
      ...(left === undefined ? {} : { secondsLeft: left }),
    };
    this.#write();
    if (this.#line.isShown)
      this.#line.show(`${percent === undefined ? '' : `[${bar(percent, barWidth)}] `}${words}`);
    else this.#tellSometimes(percent, words, nowMs);
  }

  #tellSometimes(percent: number | undefined, words: string, nowMs: number): void {
    const isEnd = percent === 100 && this.#told.percent < 100;
    const isNext = percent !== undefined && percent >= this.#told.percent + linesEveryPercent;
    if (!isEnd && !isNext && nowMs - this.#told.atMs < linesEveryMs) return;
    this.#told = { percent: percent ?? 0, atMs: nowMs };
    this.log.info(`Fetching: ${words}`);
  }

  /** `what` is RAUC's own message; RAUC sends so few that each is shown. */
  installed(percent: number, what: string): void {
    this.#progress = { ...this.#progress, percent, message: what };
    this.#write();
    if (this.#line.isShown) this.#line.show(`[${bar(percent, barWidth)}] ${percent}% ${what}`);
    else this.log.info(`${percent}% ${what}`);
  }

  done(outcome: Outcome, message: string): void {
    this.#line.clear();
    this.#end({ phase: 'done', percent: 100, message, exitCode: exitCodeOf(outcome) });
  }

  /** For the undo stack: notes the failure, unless there is none or `done` was called. */
  failUnlessDone(reason: unknown): void {
    this.#line.clear();
    if (reason === undefined || this.#progress.phase === 'done') return;
    const isSignal = reason instanceof ToldToEnd;
    const outcome = reason instanceof Failure ? reason.outcome : 'failed';
    this.#end({
      phase: 'failed',
      message: reasonOf(reason),
      reason: reasonOf(reason),
      ...(isSignal ? {} : { exitCode: exitCodeOf(outcome) }),
    });
  }

  #end(end: Partial<Progress>): void {
    this.#progress = { ...this.#progress, ...end };
    if (this.#progress.reason !== undefined) this.#progress.reason = redact(this.#progress.reason);
    this.#progress.message = redact(this.#progress.message);
    this.#write();
  }

  /** The install must not fail because its progress cannot be written: that is logged once. */
  #write(): void {
    this.#writtenMs = performance.now();
    if (this.#isBroken) return;
    try {
      writeProgress(this.#places, this.#progress);
    } catch (error) {
      this.#isBroken = true;
      this.log.warn(`Cannot report the progress: ${reasonOf(error)}`);
    }
  }
}
