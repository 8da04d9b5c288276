import {
  closeSync,
  existsSync,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { makeFolder, removeDurably, renameDurably, writeDurably } from '../system/durable-file.ts';
import { Failure, reasonOf } from '../system/failure.ts';

/**
 * What is on the data partition of a bundle: the bytes (`.part` until they are all there) and the side file, which says
 * whose they are and how many of them a power cut cannot take away any more. There is one at a time.
 */

const sideSchema = v.looseObject({
  format: v.literal(1),
  url: v.string(),
  etag: v.nullable(v.string()),
  lastModified: v.nullable(v.string()),
  totalBytes: v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  provenBytes: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  isWhole: v.boolean(),
});

export type Side = v.InferOutput<typeof sideSchema>;

export class Download {
  readonly path: string;
  readonly #part: string;
  readonly #sideFile: string;
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.path = join(folder, 'bundle.raucb');
    this.#part = `${this.path}.part`;
    this.#sideFile = join(folder, 'bundle.json');
  }

  /** What can be gone on with; undefined where there is nothing, or the disk holds less than the side file says. */
  read(): Side | undefined {
    const side = readSide(this.#sideFile);
    if (side === undefined) return undefined;
    const whole = bytesOf(this.path);
    if (side.isWhole) return whole === side.totalBytes ? side : undefined;
    const part = bytesOf(this.#part);
    if (part !== undefined) return part >= side.provenBytes ? side : undefined;
    // Cut short between its new name and the note of it.
    const isNamed = whole === side.provenBytes && (side.totalBytes ?? whole) === whole;
    return isNamed ? { ...side, totalBytes: whole, isWhole: true } : undefined;
  }

  /** What a new download takes the place of. */
  get occupiedBytes(): number {
    return (bytesOf(this.#part) ?? 0) + (bytesOf(this.path) ?? 0);
  }

  /** Takes up the bytes that are proved, and nothing behind them. Without a side it begins with none. */
  open(side: Side): PartFile {
    makeFolder(this.#folder);
    if (side.provenBytes === 0) this.discard();
    return new PartFile(this.#part, this.#sideFile, side);
  }

  /** All bytes are proved: from now on it has its name, and the next run finds it whole. */
  finish(side: Side): void {
    renameDurably(this.#part, this.path);
    writeSide(this.#sideFile, { ...side, isWhole: true });
  }

  discard(): void {
    for (const path of [this.#sideFile, this.#part, this.path]) if (existsSync(path)) removeDurably(path);
  }
}

/** The file while bytes come; `prove` is the only thing that a later run believes. */
export class PartFile {
  readonly #path: string;
  readonly #sideFile: string;
  readonly #descriptor: number;
  #side: Side;
  #length: number;

  constructor(path: string, sideFile: string, side: Side) {
    this.#path = path;
    this.#sideFile = sideFile;
    this.#side = side;
    this.#length = side.provenBytes;
    try {
      this.#descriptor = openSync(path, side.provenBytes === 0 ? 'w' : 'r+', 0o600);
      ftruncateSync(this.#descriptor, side.provenBytes);
    } catch (error) {
      throw cannotWrite(path, error);
    }
  }

  get side(): Side {
    return this.#side;
  }

  /** Written so far, proved or not. */
  get length(): number {
    return this.#length;
  }

  write(bytes: Uint8Array): void {
    try {
      for (let done = 0; done < bytes.length; )
        done += writeSync(this.#descriptor, bytes, done, bytes.length - done, this.#length + done);
    } catch (error) {
      throw cannotWrite(this.#path, error);
    }
    this.#length += bytes.length;
  }

  /** The bytes first, then the note of them: cut between the two, the older note is true still. */
  prove(): void {
    try {
      fdatasyncSync(this.#descriptor);
      this.#side = { ...this.#side, provenBytes: this.#length };
      writeSide(this.#sideFile, this.#side);
    } catch (error) {
      throw cannotWrite(this.#path, error);
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

function readSide(path: string): Side | undefined {
  try {
    return v.parse(sideSchema, JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    // Missing, torn or of another version: the bytes beside it are nobody's.
    return undefined;
  }
}

function writeSide(path: string, side: Side): void {
  writeDurably(path, `${JSON.stringify(side)}\n`, 0o600);
}

function bytesOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}

function cannotWrite(path: string, error: unknown): Failure {
  const isFull = /no space|quota/.test(reasonOf(error));
  return new Failure(`Cannot write "${path}": ${reasonOf(error)}`, {
    outcome: isFull ? 'noSpace' : 'failed',
    cause: error,
  });
}
