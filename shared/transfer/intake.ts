import { formatBytes } from '../system/disk.ts';
import { type Decision, findPage, type Known } from './decide-answer.ts';
import { Download, type PartFile, type Side } from './download.ts';
import { fetchFailure } from './fetch-failure.ts';
import type { Answer } from './line.ts';
import { rangeValidator } from './validators.ts';

export interface IntakeOptions {
  url: string;
  /** On the data partition. */
  folder: string;
  /** Whatever the server says or sends. */
  mostBytes: number;
  onProgress?: ((bytes: number, totalBytes: number | undefined) => void) | undefined;
}

type Piece = Extract<Decision, { kind: 'piece' }>;
type Whole = Extract<Decision, { kind: 'whole' }>;

/** Brings what comes over the line to the disk, and nothing that was not to come. */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #download: Download;
  #part: PartFile | undefined;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#download = new Download(options.folder);
  }

  /** Takes up what an earlier run has proved; undefined where it left nothing of this URL that can be gone on with. */
  resume(): Side | undefined {
    const side = this.#download.read();
    if (side === undefined || side.url !== this.#options.url || side.isWhole) return undefined;
    if (rangeValidator(side) === undefined) return undefined;
    this.#part = this.#download.open(side);
    return side;
  }

  get length(): number {
    return this.#part?.length ?? 0;
  }

  /** What the bytes on disk belong to. */
  get known(): Known | undefined {
    const { totalBytes, etag, lastModified } = this.#part?.side ?? {};
    if (totalBytes == null || etag === undefined || lastModified === undefined) return undefined;
    return { totalBytes, etag, lastModified };
  }

  /** Throws `the line broke` where it ended before its end. */
  async takePiece(answer: Answer, piece: Piece): Promise<void> {
    this.#requireRoom(piece.totalBytes);
    const end = this.length + piece.bytes;
    await this.#take(answer, piece, end);
    if (this.length < end) throw new Error('the line broke');
    this.prove();
  }

  /** From the start, whatever is there. */
  async takeWhole(answer: Answer, whole: Whole): Promise<void> {
    this.forget();
    if (whole.totalBytes !== undefined) this.#requireRoom(whole.totalBytes);
    await this.#take(answer, whole, whole.totalBytes ?? this.#options.mostBytes);
    if (this.length === 0 || this.length < (whole.totalBytes ?? 0)) throw new Error('the line broke');
    this.prove();
  }

  prove(): void {
    if (this.#part !== undefined && this.#part.length > this.#part.side.provenBytes) this.#part.prove();
  }

  /** What is on disk stays until the first bytes in its place have come. */
  forget(): void {
    this.#part?.close();
    this.#part = undefined;
  }

  /** Gives it its name. */
  finish(): { path: string; side: Side } {
    if (this.#part === undefined) throw fetchFailure(this.#options.url, 'nothing came');
    const side = { ...this.#part.side, totalBytes: this.#part.length };
    this.#download.finish(side);
    return { path: this.#download.path, side };
  }

  /** Reads up to `end`; what comes behind it is a lie, or has no end. */
  async #take(answer: Answer, of: Piece | Whole, end: number): Promise<void> {
    try {
      for (let bytes = await answer.read(); bytes !== undefined; bytes = await answer.read()) {
        if (bytes.length === 0) continue;
        const part = this.#part ?? this.#openFor(of, bytes);
        if (part.length + bytes.length > end) throw this.#tooMuch(end);
        part.write(bytes);
        this.#options.onProgress?.(part.length, of.totalBytes);
      }
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
    this.#part = this.#download.open({ format: 1, ...state, provenBytes: 0, isWhole: false });
    return this.#part;
  }

  #requireRoom(totalBytes: number): void {
    const { url, mostBytes } = this.#options;
    if (totalBytes <= mostBytes) return;
    const reason = `it has ${formatBytes(totalBytes)}, at most ${formatBytes(mostBytes)} may come`;
    throw fetchFailure(url, reason, { outcome: 'noSpace', advice: roomAdvice });
  }

  #tooMuch(end: number): Error {
    const reason = `it sends more than the ${formatBytes(end)} that were to come`;
    return fetchFailure(this.#options.url, reason);
  }
}

const roomAdvice = 'Free space on the data partition, or raise update.largest_bundle_mib';
