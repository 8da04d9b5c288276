import { formatBytes } from '../system/disk.ts';
import { Failure } from '../system/failure.ts';
import type { Log } from '../system/log.ts';
import { redact } from '../system/redact.ts';
import { type Ask, type Decision, decideAnswer, findPage, type Known } from './decide-answer.ts';
import { Download, type PartFile, type Side } from './download.ts';
import { type Answer, Line, type LineOptions } from './line.ts';
import { networkTrouble } from './network-reason.ts';
import { Patience } from './patience.ts';
import { afterBreak, afterWhole, firstPace, type Pace } from './piece-size.ts';
import { rangeValidator } from './validators.ts';

export interface FetchOptions extends LineOptions {
  /** On the data partition. */
  folder: string;
  /** Whatever the server says or sends. */
  mostBytes: number;
  /** In a row, with nothing gained. */
  tries: number;
  onProgress?: ((bytes: number, totalBytes: number | undefined) => void) | undefined;
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
  const fetching = new Fetching(options);
  try {
    return await fetching.run();
  } finally {
    fetching.close();
  }
}

class Fetching {
  readonly #options: FetchOptions;
  readonly #download: Download;
  readonly #line: Line;
  readonly #patience: Patience;
  #part: PartFile | undefined;
  #pace: Pace = firstPace;
  #mayRange = true;
  #beginnings = 0;

  constructor(options: FetchOptions) {
    this.#options = options;
    this.#download = new Download(options.folder);
    this.#line = new Line(options);
    this.#patience = new Patience(options);
  }

  async run(): Promise<{ path: string; side: Side }> {
    const { url, log } = this.#options;
    const side = this.#download.read();
    if (side !== undefined && side.url === url && !side.isWhole && rangeValidator(side) !== undefined) {
      this.#part = this.#download.open(side);
      log.info(`Going on at ${formatBytes(side.provenBytes)} of ${formatBytes(side.totalBytes ?? 0)}`);
    }
    while (!(await this.#tryOnce()));
    const whole = this.#part?.side;
    if (whole === undefined) throw this.#failure('nothing came');
    const named = { ...whole, totalBytes: whole.provenBytes };
    this.#download.finish(named);
    return { path: this.#download.path, side: named };
  }

  close(): void {
    this.#part?.close();
    this.#part = undefined;
  }

  /** True when all of it has come. */
  async #tryOnce(): Promise<boolean> {
    const before = this.#part?.length ?? 0;
    try {
      return await this.#request(this.#nextAsk());
    } catch (error) {
      this.#options.signal.throwIfAborted();
      if (error instanceof Failure) throw error;
      const { reason, isLasting } = networkTrouble(error);
      if (isLasting) throw this.#failure(reason, { outcome: 'failed' });
      this.#pace = afterBreak(this.#pace);
      this.#keep(before);
      await this.#patience.wait(reason);
      return false;
    }
  }

  #nextAsk(): Ask {
    if (!this.#mayRange) return { kind: 'whole' };
    const from = this.#part?.length ?? 0;
    const left = (this.#part?.side.totalBytes ?? Number.POSITIVE_INFINITY) - from;
    return { kind: 'range', from, bytes: Math.min(this.#pace.bytes, left) };
  }

  /** Without pieces nothing can be gone on with. */
  #keep(before: number): void {
    if (this.#part === undefined || !this.#mayRange) return;
    if (this.#part.length > this.#part.side.provenBytes) this.#part.prove();
    if (this.#part.length - before >= worthwhileBytes) this.#patience.gained();
  }

  async #request(ask: Ask): Promise<boolean> {
    const known = this.#known();
    if (known !== undefined && known.totalBytes === this.#part?.length) return true;
    const validator = known === undefined ? undefined : rangeValidator(known);
    const answer = await this.#line.ask({
      ...(ask.kind === 'range' ? { Range: `bytes=${ask.from}-${ask.from + ask.bytes - 1}` } : {}),
      ...(validator === undefined ? {} : { 'If-Range': validator }),
    });
    const { status, headers } = answer;
    const decision = decideAnswer(ask, known, { status, headers, now: new Date() });
    if (decision.kind === 'piece') return await this.#takePiece(answer, decision);
    if (decision.kind === 'whole') return await this.#takeWhole(answer, decision);
    await answer.close();
    return await this.#accept(decision);
  }

  /** What the bytes on disk belong to. */
  #known(): Known | undefined {
    const { totalBytes, etag, lastModified } = this.#part?.side ?? {};
    if (totalBytes == null || etag === undefined || lastModified === undefined) return undefined;
    return { totalBytes, etag, lastModified };
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
        throw this.#failure(decision.reason, decision);
    }
  }

  /** What is on disk stays until the first bytes in its place have come. */
  #beginAgain(reason: string): void {
    this.#options.log.warn(`Beginning from the start: ${reason}`);
    this.close();
    this.#beginnings += 1;
    if (this.#beginnings > mostBeginnings)
      throw this.#failure(`it had to be begun ${this.#beginnings} times (${reason})`);
  }

  async #takePiece(answer: Answer, piece: Extract<Decision, { kind: 'piece' }>): Promise<boolean> {
    this.#requireRoom(piece.totalBytes);
    const end = (this.#part?.length ?? 0) + piece.bytes;
    await this.#take(answer, piece, end);
    const length = this.#part?.length ?? 0;
    if (length < end) throw new Error('the line broke');
    this.#part?.prove();
    this.#pace = afterWhole(this.#pace);
    this.#patience.gained();
    return length === piece.totalBytes;
  }

  async #takeWhole(answer: Answer, whole: Extract<Decision, { kind: 'whole' }>): Promise<boolean> {
    this.#mayRange = false;
    this.close();
    if (whole.totalBytes !== undefined) this.#requireRoom(whole.totalBytes);
    await this.#take(answer, whole, whole.totalBytes ?? this.#options.mostBytes);
    const length = this.#part?.length ?? 0;
    if (length === 0 || length < (whole.totalBytes ?? 0)) throw new Error('the line broke');
    this.#part?.prove();
    return true;
  }

  /** Reads up to `end`; what comes behind it is a lie, or has no end. */
  async #take(
    answer: Answer,
    of: Extract<Decision, { kind: 'piece' | 'whole' }>,
    end: number,
  ): Promise<void> {
    try {
      for (;;) {
        const bytes = await answer.read();
        if (bytes === undefined) return;
        if (bytes.length === 0) continue;
        const part = this.#part ?? this.#openFor(of, bytes);
        if (part.length + bytes.length > end)
          throw this.#failure(`it sends more than the ${formatBytes(end)} that were to come`);
        part.write(bytes);
        this.#options.onProgress?.(part.length, of.totalBytes);
      }
    } catch (error) {
      await answer.close();
      throw error;
    }
  }

  #openFor(of: Extract<Decision, { kind: 'piece' | 'whole' }>, firstBytes: Uint8Array): PartFile {
    const page = findPage(firstBytes);
    if (page !== undefined) throw this.#failure(page.reason, page);
    const { etag, lastModified, totalBytes = null } = of;
    const { url } = this.#options;
    this.#part = this.#download.open({
      format: 1,
      url,
      etag,
      lastModified,
      totalBytes,
      provenBytes: 0,
      isWhole: false,
    });
    return this.#part;
  }

  #requireRoom(totalBytes: number): void {
    const { mostBytes } = this.#options;
    if (totalBytes <= mostBytes) return;
    throw this.#failure(`it has ${formatBytes(totalBytes)}, at most ${formatBytes(mostBytes)} may come`, {
      outcome: 'noSpace',
      advice: 'Free space on the data partition, or raise update.largest_bundle_mib',
    });
  }

  #failure(
    reason: string,
    { outcome = 'tryLater', advice }: Partial<Pick<Failure, 'outcome' | 'advice'>> = {},
  ): Failure {
    return new Failure(`Cannot fetch "${redact(this.#options.url)}": ${reason}`, {
      outcome,
      ...(advice === undefined ? {} : { advice }),
    });
  }
}
