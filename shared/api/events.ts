import { reasonOf } from '../system/failure.ts';
import type { Log } from '../system/terminal/log.ts';
import { HttpRefusal } from './problem.ts';
import type { Report, StatusReader } from './status-reader.ts';

/** Server-sent events: the report, each time it has changed, to a bounded number of readers. */

export const mostReaders = 16;
const usualRhythm = { lookMs: 500, heartbeatMs: 15_000 };
/** A reader that leaves so much unread is gone, or hostile. */
const mostUnreadBytes = 256 * 1024;
/** A stream ends after this time; the browser then connects again by itself. */
const longestMs = 60 * 60_000;
const comeAgainMs = 2_000;

type Reader = ReadableStreamDefaultController<Uint8Array>;

export class Events {
  readonly #reporter: Pick<StatusReader, 'read'>;
  readonly #log: Log;
  readonly #readers = new Set<Reader>();
  readonly #rhythm: typeof usualRhythm;
  #looking: NodeJS.Timeout | undefined;
  #isLooking = false;
  #last = '';
  #saidAtMs = 0;

  constructor(reporter: Pick<StatusReader, 'read'>, log: Log, rhythm = usualRhythm) {
    this.#reporter = reporter;
    this.#log = log;
    this.#rhythm = rhythm;
  }

  get readerCount(): number {
    return this.#readers.size;
  }

  /** Opens a stream for one reader. Throws a Refusal where there are too many readers already. */
  async open(): Promise<Response> {
    if (this.#readers.size >= mostReaders) throw tooMany();
    const first = textOf(await this.#reporter.read());
    // Other readers may have come during the await.
    if (this.#readers.size >= mostReaders) throw tooMany();
    let reader: Reader | undefined;
    let ending: NodeJS.Timeout | undefined;
    const stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          reader = controller;
          if (this.#readers.size === 0) this.#last = first;
          this.#readers.add(controller);
          this.#send(controller, `retry: ${comeAgainMs}\n\n${first}`);
          ending = setTimeout(() => this.#drop(controller), longestMs);
          this.#look();
        },
        cancel: () => {
          clearTimeout(ending);
          if (reader !== undefined) this.#drop(reader);
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: 0 }),
    );
    return new Response(stream, {
      headers: {
        'Content-Type': 'text/event-stream',
        'Cache-Control': 'no-store',
        'X-Accel-Buffering': 'no',
      },
    });
  }

  close(): void {
    for (const reader of this.#readers) this.#drop(reader);
  }

  /** Looks for changes as long as there are readers. */
  #look(): void {
    this.#looking ??= setInterval(() => void this.#lookOnce(), this.#rhythm.lookMs);
  }

  async #lookOnce(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const text = textOf(await this.#reporter.read());
      if (text !== this.#last) this.#sendAll(text);
      else if (performance.now() - this.#saidAtMs > this.#rhythm.heartbeatMs)
        this.#sendAll(': still here\n\n');
      this.#last = text;
    } catch (error) {
      this.#log.warn(`Cannot report the status: ${reasonOf(error)}`);
    } finally {
      this.#isLooking = false;
    }
  }

  #sendAll(text: string): void {
    this.#saidAtMs = performance.now();
    for (const reader of this.#readers) this.#send(reader, text);
  }

  #send(reader: Reader, text: string): void {
    try {
      reader.enqueue(new TextEncoder().encode(text));
      if ((reader.desiredSize ?? 0) < -mostUnreadBytes)
        this.#drop(reader, 'A reader of the events was dropped: it does not read');
    } catch {
      this.#drop(reader);
    }
  }

  /** Ends a stream: queued data is still sent, unless there is a reason why it cannot be. */
  #drop(reader: Reader, reason?: string): void {
    this.#readers.delete(reader);
    if (this.#readers.size === 0) {
      clearInterval(this.#looking);
      this.#looking = undefined;
    }
    try {
      if (reason === undefined) reader.close();
      else reader.error(reason);
    } catch {
      // The reader has already closed it.
    }
  }
}

function textOf(report: Report): string {
  return `event: status\ndata: ${JSON.stringify(report)}\n\n`;
}

function tooMany(): HttpRefusal {
  return new HttpRefusal(503, `At most ${mostReaders} readers may follow at once`, { 'Retry-After': '10' });
}
