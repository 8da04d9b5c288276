import { closeSync, openSync, readSync } from 'node:fs';

/** The fields of a squashfs superblock that mounting depends on (kernel: Documentation/filesystems/squashfs.rst). */
export interface Squashfs {
  compressor: string;
  /** Without the padding to 4 KiB that mksquashfs puts behind it. */
  usedBytes: number;
}

const magic = 'hsqs';
const superblockBytes = 96;
const compressorOffset = 20;
const usedBytesOffset = 40;
const compressors: Record<number, string> = { 1: 'gzip', 2: 'lzma', 3: 'lzo', 4: 'xz', 5: 'lz4', 6: 'zstd' };

/** The first kernel that mounts a squashfs of each compressor; lzma was never merged for this format. */
const compressorKernels: Record<string, string> = {
  gzip: '2.6.29',
  lzo: '2.6.36',
  xz: '2.6.38',
  lz4: '3.19',
  zstd: '4.14',
};

/** Reads the superblock at the file's start; returns `undefined` if there is none. Throws the system's error. */
export function readSquashfs(path: string): Squashfs | undefined {
  const superblock = Buffer.alloc(superblockBytes);
  const descriptor = openSync(path, 'r');
  try {
    if (readSync(descriptor, superblock, 0, superblockBytes, 0) < superblockBytes) return undefined;
  } finally {
    closeSync(descriptor);
  }
  if (superblock.toString('latin1', 0, magic.length) !== magic) return undefined;
  const id = superblock.readUInt16LE(compressorOffset);
  return {
    compressor: compressors[id] ?? `compressor ${id}`,
    usedBytes: Number(superblock.readBigUInt64LE(usedBytesOffset)),
  };
}

/** The oldest kernel that can mount a squashfs of this compressor, `undefined` where none can. */
export function kernelForCompressor(compressor: string): string | undefined {
  return compressorKernels[compressor];
}
