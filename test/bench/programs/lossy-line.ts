import { dlopen } from 'bun:ffi';
import { openSync, read, writeSync } from 'node:fs';
import { print } from '../../../shared/system/terminal/print.ts';

/**
 * A line between two network devices of this machine, NEAR and FAR, in a process of its own: every packet of one comes
 * out of the other, no faster than MBIT a second, DELAY_MS later, or not at all (LOSS_PERCENT). For kernels without
 * netem. The queue before the line holds what a cheap router has; what does not fit is lost, too. Says `ready`.
 */

const [near = '', far = '', mbit = '20', delayMs = '40', lossPercent = '1'] = process.argv.slice(2);
const bytesPerMs = (Number(mbit) * 1e6) / 8 / 1000;
const queueBytes = 256 * 1024;
const tunSetIff = 0x400454ca;
const tunWithoutHeader = 0x1001;

const { symbols } = dlopen('libc.so.6', {
  ioctl: { args: ['i32', 'u64', 'ptr'], returns: 'i32' },
});

/** linux/if_tun.h: the descriptor becomes the other end of the device. */
function openDevice(name: string): number {
  const descriptor = openSync('/dev/net/tun', 'r+');
  const request = Buffer.alloc(40);
  request.write(name, 0, 'latin1');
  request.writeUInt16LE(tunWithoutHeader, 16);
  if (symbols.ioctl(descriptor, tunSetIff, request) < 0) throw new Error(`Cannot open the device "${name}"`);
  return descriptor;
}

/** One direction. */
class Direction {
  readonly #to: number;
  #lineFreeMs = 0;
  #waiting: { atMs: number; packet: Uint8Array }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(to: number) {
    this.#to = to;
  }

  take(packet: Uint8Array): void {
    if (Math.random() * 100 < Number(lossPercent)) return;
    const nowMs = performance.now();
    const startMs = Math.max(nowMs, this.#lineFreeMs);
    if ((startMs - nowMs) * bytesPerMs > queueBytes) return;
    this.#lineFreeMs = startMs + packet.length / bytesPerMs;
    this.#waiting.push({ atMs: this.#lineFreeMs + Number(delayMs), packet });
    this.#timer ??= setTimeout(() => this.#deliver(), this.#lineFreeMs + Number(delayMs) - nowMs);
  }

  #deliver(): void {
    this.#timer = undefined;
    const nowMs = performance.now();
    const due = this.#waiting.findIndex(({ atMs }) => atMs > nowMs);
    for (const { packet } of this.#waiting.splice(0, due < 0 ? this.#waiting.length : due)) {
      try {
        writeSync(this.#to, packet);
      } catch {
        // The device has gone down: so has the line.
      }
    }
    const next = this.#waiting[0];
    if (next !== undefined) this.#timer = setTimeout(() => this.#deliver(), Math.max(0, next.atMs - nowMs));
  }
}

function pump(from: number, direction: Direction): void {
  const packet = Buffer.alloc(65_536);
  read(from, packet, 0, packet.length, null, (error, length) => {
    if (error === null) direction.take(new Uint8Array(packet.subarray(0, length)));
    const code = error === null || !('code' in error) ? undefined : error.code;
    // It is not up yet, or has gone with its namespace; then this line is not needed any more.
    if (code === 'EIO') setTimeout(() => pump(from, direction), 10);
    else if (error === null || code === 'EAGAIN') pump(from, direction);
    else process.exit(1);
  });
}

const [one, other] = [openDevice(near), openDevice(far)];
pump(one, new Direction(other));
pump(other, new Direction(one));
print(1, 'ready\n');
