import { formatBytes } from '../../system/files/disk.ts';
import type { Answer } from '../request/connection.ts';
import { fetchFailure } from '../request/fetch-failure.ts';
import { type Decision, findPage, type Known } from './decide-answer.ts';
import { Download } from './download.ts';
import { type DownloadState, rangesIn } from './download-notes.ts';
import type { PartFile } from './part-file.ts';
import { bytesIn, type Range } from './ranges.ts';
import { rangeValidator } from './validators.ts';

export interface IntakeOptions {
  url: string;
  /** A folder on the data partition. */
  folder: string;
  /** The limit, regardless of the size that the server announces or sends. */
  mostBytes: number;
  onProgress?: ((bytes: number, totalBytes: number | undefined) => void) | undefined;
}

type OnTaken = (bytes: number) => void;
type Piece = Extract<Decision, { kind: 'piece' }>;
type Whole = Extract<Decision, { kind: 'whole' }>;

/** Writes the received bytes to the disk, and rejects bytes that were not asked for. */
export class DownloadSink {
  readonly #options: IntakeOptions;
  readonly #download: Download;
  #part: PartFile | undefined;
  #proof: Promise<void> | undefined;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#download = new Download(options.folder);
  }

  /** Resumes the download of an earlier run; undefined if there is none of this URL that can be resumed. */
  async resume(): Promise<DownloadState | undefined> {
    const side = this.#download.read();
    if (side === undefined || side.url !== this.#options.url || side.isWhole) return undefined;
    if (rangeValidator(side) === undefined) return undefined;
    this.#part = this.#download.open(side);
    // The bytes of a killed run may still be only in the system's memory.
    await this.#part.prove();
    return side;
  }

  get written(): readonly Range[] {
    return this.#part?.written ?? [];
  }

  get length(): number {
    return this.#part?.length ?? 0;
  }

  /** The bytes that survive a power cut. */
  get proven(): readonly Range[] {
    return this.#part === undefined ? [] : rangesIn(this.#part.side);
  }

  /** The file that the bytes on disk belong to. */
  get known(): Known | undefined {
    const { totalBytes, etag, lastModified } = this.#part?.side ?? {};
    if (totalBytes == null || etag === undefined || lastModified === undefined) return undefined;
    return { totalBytes, etag, lastModified };
  }

  /** Whether the next run can resume from the bytes on disk. Without a length and a validator it starts again. */
  get isResumable(): boolean {
    const { known } = this;
    return known !== undefined && rangeValidator(known) !== undefined && this.written.length > 0;
  }

  /** Removes the bytes of this run, which no other run can use. Those of an earlier run stay. */
  async discard(): Promise<void> {
    const isOwn = this.#part !== undefined;
    await this.forget();
    if (isOwn) this.#download.discard();
  }

  /**
   * Writes the piece to its place in the file, and calls `onTaken` after each write. Throws `the connection broke` if it
   * ends too soon.
   */
  async takePiece(answer: Answer, piece: Piece, from: number, onTaken: OnTaken): Promise<void> {
    this.#requireRoom(piece.totalBytes);
    const end = from + piece.bytes;
    const reached = await this.#take(answer, piece, { from, to: end }, onTaken);
    if (reached < end) throw new Error('the connection broke');
  }

  /** Writes the whole file from the start, over any bytes of before. */
  async takeWhole(answer: Answer, whole: Whole, onTaken: OnTaken): Promise<void> {
    await this.forget();
    if (whole.totalBytes !== undefined) this.#requireRoom(whole.totalBytes);
    const to = whole.totalBytes ?? this.#options.mostBytes;
    const reached = await this.#take(answer, whole, { from: 0, to }, onTaken);
    if (reached === 0 || reached < (whole.totalBytes ?? 0)) throw new Error('the connection broke');
  }

  /** Starts a sync in the background: undefined while another one is running, or if there is no file yet. */
  startProof(): Promise<void> | undefined {
    if (this.#proof !== undefined || this.#part === undefined) return undefined;
    this.#proof = this.#part.prove().finally(() => {
      this.#proof = undefined;
    });
    // A caller that waits for it gets the error; without such a caller the error must not count as unhandled.
    this.#proof.catch(() => {});
    return this.#proof;
  }

  /** Syncs all written bytes. Throws a Failure if the disk does not take them. */
  async prove(): Promise<void> {
    await this.#proof;
    if (this.#part !== undefined && this.#part.bytes > bytesIn(this.proven)) await this.#part.prove();
  }

  /** Closes the file; its bytes stay on disk until the first bytes of a new download have arrived. */
  async forget(): Promise<void> {
    const part = this.#part;
    this.#part = undefined;
    await this.#proof?.catch(() => {});
    part?.close();
  }

  /** Syncs the rest, and gives the file its final name. */
  async finish(): Promise<{ path: string; side: DownloadState }> {
    await this.prove();
    if (this.#part === undefined) throw fetchFailure(this.#options.url, 'no bytes were received');
    const side = { ...this.#part.side, totalBytes: this.#part.length };
    this.#download.finish(side);
    return { path: this.#download.path, side };
  }

  /**
   * Reads up to the range's end, and returns the position that it has reached. More bytes are an error: the server's
   * length was wrong, or the body has no end.
   */
  async #take(answer: Answer, of: Piece | Whole, range: Range, onTaken: OnTaken): Promise<number> {
    let at = range.from;
    try {
      for (let bytes = await answer.read(); bytes !== undefined; bytes = await answer.read()) {
        if (bytes.length === 0) continue;
        if (at + bytes.length > range.to)
          throw of.totalBytes === undefined
            ? this.#tooLarge(`more than ${formatBytes(range.to)}`)
            : this.#tooMuch(range.to);
        const part = this.#part ?? this.#openFor(of, bytes);
        part.write(bytes, at);
        at += bytes.length;
        this.#options.onProgress?.(part.bytes, of.totalBytes);
        onTaken(bytes.length);
      }
      return at;
    } catch (error) {
      await answer.close();
      throw error;
    }
  }

  #openFor(of: Piece | Whole, firstBytes: Uint8Array): PartFile {
    const { url } = this.#options;
    const page = findPage(firstBytes);
    if (page !== undefined) throw fetchFailure(url, page.reason, page);
    const { etag, lastModified } = of;
    const state = { url, etag, lastModified, totalBytes: of.totalBytes ?? null };
    this.#part = this.#download.open({ ...state, provenBytes: 0, later: [], isWhole: false });
    return this.#part;
  }

  #requireRoom(totalBytes: number): void {
    if (totalBytes > this.#options.mostBytes) throw this.#tooLarge(formatBytes(totalBytes));
  }

  #tooLarge(size: string): Error {
    const { url, mostBytes } = this.#options;
    const reason = `it has ${size}, at most ${formatBytes(mostBytes)} are allowed`;
    return fetchFailure(url, reason, { outcome: 'noSpace', advice: roomAdvice });
  }

  #tooMuch(end: number): Error {
    const reason = `it sends more than the ${formatBytes(end)} that were expected`;
    return fetchFailure(this.#options.url, reason);
  }
}

const roomAdvice = 'Free space on the data partition, or raise update.largest_bundle_mib';
