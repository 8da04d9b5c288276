import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';

/**
 * The hash tree that RAUC appends to the squashfs of a verity bundle (kernel: admin-guide/device-mapper/verity.rst): version 1,
 * sha256, blocks of 4 KiB, the salt before each block, no superblock, the level next to the root first.
 */
export interface VerityTree {
  /** Bytes of the data before the tree. */
  dataBytes: number;
  /** Hex, as in the manifest. */
  rootHash: string;
  salt: string;
  treeBytes: number;
}

const blockBytes = 4096;
const hashBytes = 32;
const hashesOfBlock = blockBytes / hashBytes;
const readBlocks = 256;

/** Whether data and tree are those of the root hash. Reads all of the data; throws the system's error. */
export function isVerityWhole(path: string, tree: VerityTree): boolean {
  const salt = Buffer.from(tree.salt, 'hex');
  const descriptor = openSync(path, 'r');
  try {
    const levels = [hashLevel(readData(descriptor, 0, tree.dataBytes), salt)];
    while ((levels[0]?.length ?? 0) > blockBytes)
      levels.unshift(hashLevel([levels[0] ?? Buffer.alloc(0)], salt));
    const [top = Buffer.alloc(0)] = levels;
    if (blockHash(top, salt).toString('hex') !== tree.rootHash) return false;
    const written = Buffer.concat([...readData(descriptor, tree.dataBytes, tree.treeBytes)]);
    return written.equals(Buffer.concat(levels));
  } finally {
    closeSync(descriptor);
  }
}

/** The hashes of all blocks, padded with zeros to whole blocks. */
function hashLevel(parts: Iterable<Buffer>, salt: Buffer): Buffer {
  const hashes: Buffer[] = [];
  for (const part of parts) {
    for (let at = 0; at < part.length; at += blockBytes)
      hashes.push(blockHash(part.subarray(at, at + blockBytes), salt));
  }
  const missing = (hashesOfBlock - (hashes.length % hashesOfBlock)) % hashesOfBlock;
  return Buffer.concat([...hashes, Buffer.alloc(missing * hashBytes)]);
}

function blockHash(block: Buffer, salt: Buffer): Buffer {
  return createHash('sha256').update(salt).update(block).digest();
}

/** Ends early where the file does. */
function* readData(descriptor: number, from: number, bytes: number): Generator<Buffer> {
  for (let at = 0; at < bytes; ) {
    const part = Buffer.alloc(Math.min(readBlocks * blockBytes, bytes - at));
    const count = readSync(descriptor, part, 0, part.length, from + at);
    if (count === 0) return;
    yield part.subarray(0, count);
    at += count;
  }
}
