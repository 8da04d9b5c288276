import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';

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

/** The first and last bits of a bundle's parts: squashfs, signature, and the signature's size in 8 bytes. */
export function edgesOf(bundle: string): number[] {
  const bytes = readFileSync(bundle);
  const sizeAt = bytes.length - 8;
  const signatureAt = sizeAt - Number(bytes.readBigUInt64BE(sizeAt));
  return [0, signatureAt, sizeAt, bytes.length].flatMap((at) => [at * 8 - 1, at * 8]).slice(1, -1);
}
