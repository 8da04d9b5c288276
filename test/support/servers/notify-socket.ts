import { dlopen } from 'bun:ffi';
import { closeSync } from 'node:fs';

/** systemd's end of sd_notify(3): a datagram socket, which neither Bun nor Node can open. */

interface LibC {
  socket(family: number, type: number, protocol: number): number;
  bind(descriptor: number, address: Buffer, length: number): number;
  recv(descriptor: number, bytes: Buffer, length: number, flags: number): bigint | number;
  setsockopt(descriptor: number, level: number, name: number, value: Buffer, length: number): number;
}

const familyUnix = 1;
const typeDatagram = 2;
const socketLevel = 1;
const receiveTimeout = 20;
const mostSeconds = 20;

export class NotifySocket implements Disposable {
  readonly path: string;
  readonly #libc: LibC;
  readonly #descriptor: number;

  constructor(path: string) {
    this.path = path;
    this.#libc = dlopen('libc.so.6', {
      socket: { args: ['i32', 'i32', 'i32'], returns: 'i32' },
      bind: { args: ['i32', 'ptr', 'u32'], returns: 'i32' },
      recv: { args: ['i32', 'ptr', 'u64', 'i32'], returns: 'i64' },
      setsockopt: { args: ['i32', 'i32', 'i32', 'ptr', 'u32'], returns: 'i32' },
    }).symbols as unknown as LibC; // bun:ffi types pointers as numbers; it takes buffers as they are
    this.#descriptor = this.#libc.socket(familyUnix, typeDatagram, 0);
    const family = Buffer.alloc(2);
    family.writeUInt16LE(familyUnix);
    const address = Buffer.concat([family, Buffer.from(`${path}\0`)]);
    if (this.#libc.bind(this.#descriptor, address, address.length) !== 0)
      throw new Error(`cannot bind ${path}`);
    const seconds = Buffer.alloc(16);
    seconds.writeBigInt64LE(BigInt(mostSeconds));
    this.#libc.setsockopt(this.#descriptor, socketLevel, receiveTimeout, seconds, seconds.length);
  }

  /** The next thing that was said, waited for; this process does nothing else meanwhile. */
  receive(): string {
    const bytes = Buffer.alloc(4_096);
    const length = Number(this.#libc.recv(this.#descriptor, bytes, bytes.length, 0));
    if (length < 0) throw new Error(`nothing was said within ${mostSeconds} s`);
    return bytes.toString('utf8', 0, length);
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }
}
