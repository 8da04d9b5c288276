import { readFileSync, readSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { Range } from '../../../shared/transfer/download/ranges.ts';
import { randomFrom, seed } from '../../support/seed.ts';
import { rangeHead } from '../../support/servers/file-server.ts';
import type { Asked } from '../../support/servers/hostile-server.ts';

const cuts = ['end', 'destroy', 'resetAndDestroy'] as const;

export interface BadLineOptions {
  /** Of the file that is served. */
  descriptor: number;
  size: number;
  drops: number;
  kills: number;
}

/** What went out once, and how many clients had been killed before. */
interface Sent extends Range {
  kills: number;
}

/** Serves the file, and breaks the line, or kills the client, in the middle of pieces, at moments that follow the seed. */
export class BadLine {
  client: Bun.Subprocess | undefined;
  readonly #options: BadLineOptions;
  readonly #random = randomFrom(seed);
  drops = 0;
  kills = 0;
  peakMemory = 0;
  /** For each request that has had bytes that were sent before: how many, where no kill was the reason. */
  readonly twiceAtBreaks: number[] = [];
  /** For each kill, how many bytes were sent again because of it. */
  readonly twiceAtKills: number[];
  #sent: Sent[] = [];
  #furthest = 0;

  constructor(options: BadLineOptions) {
    this.#options = options;
    this.twiceAtKills = Array.from({ length: options.kills }, () => 0);
  }

  get sentTwice(): number {
    return [...this.twiceAtBreaks, ...this.twiceAtKills].reduce((sum, bytes) => sum + bytes, 0);
  }

  answer({ range }: Asked, socket: Socket): void {
    if (range === undefined) throw new Error('only pieces are asked for');
    const { descriptor, size, drops, kills } = this.#options;
    this.peakMemory = Math.max(this.peakMemory, peakMemoryOf(this.client?.pid));
    const { from } = range;
    const { head, length } = rangeHead(range, size, { ETag: '"one"' });
    const bytes = Buffer.alloc(length);
    readSync(descriptor, bytes, 0, length, from);
    if (length === 1) {
      socket.write(head);
      socket.write(bytes);
      return;
    }
    const isKill = this.kills < kills && from >= ((this.kills + 0.5) / kills) * size;
    const isDrop = !isKill && this.drops < drops && this.#random() < this.#dropsDue(from, length);
    const until = isKill || isDrop ? Math.floor(this.#random() * length) : length;
    this.#send({ from, to: from + until });
    if (isKill) this.kills += 1;
    if (isDrop) this.drops += 1;
    const cut = cuts[this.drops % cuts.length] ?? 'end';
    socket.write(head);
    socket.write(bytes.subarray(0, until), () => {
      if (isKill) this.client?.kill('SIGKILL');
      else if (isDrop) socket[cut]();
    });
  }

  /** Spread over the file, and all of them before its end. */
  #dropsDue(from: number, length: number): number {
    const { size, drops } = this.#options;
    this.#furthest = Math.max(this.#furthest, from);
    const piecesLeft = (size - this.#furthest) / length;
    return Math.min(0.9, ((drops - this.drops) / piecesLeft) * 1.5);
  }

  /** What of it has gone out before is sent twice: because of the kills since then, or else of a break. */
  #send(now: Range): void {
    let atBreaks = 0;
    for (const before of this.#sent) {
      const bytes = Math.min(now.to, before.to) - Math.max(now.from, before.from);
      if (bytes <= 0) continue;
      if (before.kills === this.kills) atBreaks += bytes;
      else this.twiceAtKills[this.kills - 1] = (this.twiceAtKills[this.kills - 1] ?? 0) + bytes;
    }
    if (atBreaks > 0) this.twiceAtBreaks.push(atBreaks);
    this.#sent = this.#sent.flatMap((before) => outside(before, now));
    if (now.to > now.from) this.#sent.push({ ...now, kills: this.kills });
    // Far behind nothing is sent again; the whole list would be gone through for each piece.
    if (this.#sent.length > 512) this.#sent.splice(0, 256);
  }
}

function outside(sent: Sent, now: Range): Sent[] {
  return [
    { ...sent, to: Math.min(sent.to, now.from) },
    { ...sent, from: Math.max(sent.from, now.to) },
  ].filter(({ from, to }) => to > from);
}

/** proc(5): the most that was ever resident, the program's own file included. */
function peakMemoryOf(pid: number | undefined): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
