import { readFileSync, readSync } from 'node:fs';
import type { Socket } from 'node:net';
import { rangeHead } from '../support/file-server.ts';
import type { Asked } from '../support/hostile-server.ts';

const mebibyte = 1024 * 1024;
const cuts = ['end', 'destroy', 'resetAndDestroy'] as const;

export interface BadLineOptions {
  /** Of the file that is served. */
  descriptor: number;
  size: number;
  drops: number;
  kills: number;
}

/** Serves the file, and breaks the line, or kills the client, in the middle of pieces, at moments nobody foresees. */
export class BadLine {
  client: Bun.Subprocess | undefined;
  readonly #options: BadLineOptions;
  drops = 0;
  sent = 0;
  peakMemory = 0;
  /** For each time that bytes were asked for again, how many. */
  readonly twice: number[] = [];
  readonly twiceAtKills: number[] = [];
  #kills = 0;
  #highest = 0;
  #isKilled = false;

  constructor(options: BadLineOptions) {
    this.#options = options;
  }

  answer({ range }: Asked, socket: Socket): void {
    if (range === undefined) throw new Error('only pieces are asked for');
    const { descriptor, size, drops, kills } = this.#options;
    this.#note(range.from, range.to);
    const { from } = range;
    const { head, length } = rangeHead(range, size, { ETag: '"one"' });
    const bytes = Buffer.alloc(length);
    readSync(descriptor, bytes, 0, length, from);
    if (length === 1) {
      socket.write(head);
      socket.write(bytes);
      return;
    }
    const isKill = this.#kills < kills && from >= ((this.#kills + 0.5) / kills) * size;
    const isDrop = !isKill && this.drops < drops && Math.random() < this.#dropsDue(from);
    const until = isKill || isDrop ? Math.floor(Math.random() * length) : length;
    this.#send(until, from);
    socket.write(head);
    socket.write(bytes.subarray(0, until), () => {
      if (isKill) this.#kill();
      else if (isDrop) socket[cuts[this.drops++ % cuts.length] ?? 'end']();
    });
  }

  /** Spread over the file, and all of them before its end. */
  #dropsDue(from: number): number {
    const { size, drops } = this.#options;
    const piecesLeft = (size - from) / mebibyte;
    return Math.min(0.9, ((drops - this.drops) / piecesLeft) * 1.3);
  }

  #send(bytes: number, from: number): void {
    this.sent += bytes;
    this.#highest = Math.max(this.#highest, from + bytes);
  }

  #kill(): void {
    this.#kills += 1;
    this.#isKilled = true;
    this.client?.kill('SIGKILL');
  }

  /** What was sent behind this place is sent again now. */
  #note(from: number, to: number): void {
    this.peakMemory = Math.max(this.peakMemory, peakMemoryOf(this.client?.pid));
    if (to === 0) return;
    const twice = Math.max(0, this.#highest - from);
    if (twice > 0) this.twice.push(twice);
    if (this.#isKilled) this.twiceAtKills.push(twice);
    this.#isKilled = false;
    this.#highest = from;
  }
}

/** proc(5): the most that was ever resident, the program's own file included. */
function peakMemoryOf(pid: number | undefined): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
