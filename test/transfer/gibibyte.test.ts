import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { compilePrograms } from '../../shared/packaging/compile.ts';
import { project } from '../../shared/packaging/project.ts';
import { formatBytes } from '../../shared/system/disk.ts';
import { print } from '../../shared/system/print.ts';
import { rangeHead } from '../support/file-server.ts';
import { type Asked, HostileServer } from '../support/hostile-server.ts';
import { Scene } from '../support/scene.ts';

/**
 * The compiled program, a bundle of 1 GiB, a line that breaks 200 times and a client that is killed 10 times: it arrives
 * whole, in little memory, and little is sent twice. All figures are the server's: what it handed to the kernel.
 */

const mebibyte = 1024 * 1024;
const size = 1024 * mebibyte;
const drops = 200;
const kills = 10;
const cuts = ['end', 'destroy', 'resetAndDestroy'] as const;

describe('the compiled update.sh', () => {
  let scene: Scene;
  let programs: string;
  beforeAll(async () => {
    scene = new Scene();
    programs = scene.at('programs');
    await compilePrograms(programs, { architecture: 'x64' });
    makeSparse(scene.at('source'));
    scene.write('root/etc/rauc/system.conf', '[system]\ncompatible=jetson-nano-homie\n');
    scene.write('rauc-info.json', '{"compatible":"jetson-nano-homie","version":"1.1.0"}');
    scene.write('rauc-install.sh', 'cmp "$2" source > differs && touch is-same');
  }, 120_000);
  afterAll(() => scene[Symbol.dispose]());

  test('fetches 1 GiB over 200 drops and 10 kills', async () => {
    const line = new BadLine(openSync(scene.at('source'), 'r'));
    await using server = await HostileServer.start((asked, socket) => line.answer(asked, socket));
    scene.configure({ reserve_mib: 0, url: server.url });
    const startedMs = performance.now();
    let exitCode: number | null = null;
    let runs = 0;
    while (exitCode === null && runs <= kills) {
      runs += 1;
      const child = Bun.spawn([join(programs, 'update.sh')], {
        cwd: '/',
        env: {
          PATH: `${scene.at('bin')}:/usr/sbin:/usr/bin:/sbin:/bin`,
          HOMIE_DATA: scene.places.data,
          HOMIE_ROOT: scene.places.root,
          HOMIE_RUN: scene.places.run,
        },
        stdin: 'ignore',
        stdout: 'ignore',
        stderr: Bun.file(scene.at(`stderr-${runs}`)),
      });
      line.client = child;
      await child.exited;
      exitCode = child.exitCode;
    }
    const seconds = (performance.now() - startedMs) / 1000;
    closeSync(line.descriptor);

    const figures = {
      bytes: size,
      drops: line.drops,
      kills: runs - 1,
      requests: server.asked.length,
      sentTwice: line.sent - size,
      mostSentTwiceAtOnce: Math.max(...line.twice),
      mostSentTwiceAtAKill: Math.max(...line.twiceAtKills),
      peakMemory: line.peakMemory,
      seconds: Math.round(seconds * 10) / 10,
    };
    tell(figures);
    expect(exitCode, scene.read(`stderr-${runs}`).slice(-1000)).toBe(4);
    expect(existsSync(scene.at('is-same'))).toBe(true);
    expect(figures).toMatchObject({ drops, kills });
    expect(line.twiceAtKills).toHaveLength(kills);
    expect(figures.mostSentTwiceAtOnce).toBeLessThanOrEqual(mebibyte);
    expect(figures.peakMemory).toBeGreaterThan(mebibyte);
    expect(figures.peakMemory).toBeLessThan(96 * mebibyte);
  }, 180_000);
});

/** Serves the file, and breaks the line, or kills the client, in the middle of pieces, at moments nobody foresees. */
class BadLine {
  client: Bun.Subprocess | undefined;
  readonly descriptor: number;
  drops = 0;
  sent = 0;
  peakMemory = 0;
  /** For each time that bytes were asked for again, how many. */
  readonly twice: number[] = [];
  readonly twiceAtKills: number[] = [];
  #kills = 0;
  #highest = 0;
  #isKilled = false;

  constructor(descriptor: number) {
    this.descriptor = descriptor;
  }

  answer({ range }: Asked, socket: Socket): void {
    if (range === undefined) throw new Error('only pieces are asked for');
    this.#note(range.from, range.to);
    const { from } = range;
    const { head, length } = rangeHead(range, size, { ETag: '"one"' });
    const bytes = Buffer.alloc(length);
    readSync(this.descriptor, bytes, 0, length, from);
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

/** Blocks of random bytes with holes between them, so that it costs little to have. */
function makeSparse(path: string): void {
  const descriptor = openSync(path, 'w');
  ftruncateSync(descriptor, size);
  const block = Buffer.alloc(65_536);
  for (let from = 0; from < size; from += 4 * mebibyte) {
    crypto.getRandomValues(block);
    writeSync(descriptor, block, 0, block.length, from + Math.floor(Math.random() * 3 * mebibyte));
  }
  closeSync(descriptor);
}

/** proc(5): the most that was ever resident, the program's own file included. */
function peakMemoryOf(pid: number | undefined): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

function tell(figures: Record<string, number>): void {
  const { sentTwice = 0, mostSentTwiceAtOnce = 0, mostSentTwiceAtAKill = 0, peakMemory = 0 } = figures;
  print(
    1,
    `1 GiB over ${figures['drops']} drops and ${figures['kills']} kills in ${figures['seconds']} s: sent twice ${formatBytes(sentTwice)} in all, at most ${formatBytes(mostSentTwiceAtOnce)} at once and ${formatBytes(mostSentTwiceAtAKill)} at a kill; peak memory ${formatBytes(peakMemory)}\n`,
  );
  const folder = join(project.root, 'reports');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'fetch.json'), `${JSON.stringify({ format: 1, ...figures }, undefined, 2)}\n`);
}
