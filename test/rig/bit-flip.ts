import { closeSync, openSync, readSync, writeSync } from 'node:fs';

/** Flips one bit of a file in place; twice is as before. */
export function flipBit(path: string, bit: number): void {
  const descriptor = openSync(path, 'r+');
  try {
    const byte = Buffer.alloc(1);
    readSync(descriptor, byte, 0, 1, Math.floor(bit / 8));
    byte[0] = (byte[0] ?? 0) ^ (1 << (bit % 8));
    writeSync(descriptor, byte, 0, 1, Math.floor(bit / 8));
  } finally {
    closeSync(descriptor);
  }
}
