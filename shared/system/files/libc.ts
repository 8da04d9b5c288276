import { dlopen } from 'bun:ffi';
import { closeSync } from 'node:fs';

/** The calls of the C library that neither Bun nor Node offers. */
interface LibC {
  flock(descriptor: number, operation: number): number;
  llistxattr(path: Buffer, list: Buffer, size: number): bigint | number;
  lgetxattr(path: Buffer, name: Buffer, value: Buffer, size: number): bigint | number;
  syscall(number: number, ...five: (number | Buffer)[]): bigint | number;
  socket(family: number, type: number, protocol: number): number;
  sendto(
    descriptor: number,
    bytes: Buffer,
    length: number,
    flags: number,
    address: Buffer,
    addressLength: number,
  ): bigint | number;
}

let opened: LibC | undefined;

function libC(): LibC {
  opened ??= dlopen('libc.so.6', {
    flock: { args: ['i32', 'i32'], returns: 'i32' },
    llistxattr: { args: ['ptr', 'ptr', 'u64'], returns: 'i64' },
    lgetxattr: { args: ['ptr', 'ptr', 'ptr', 'u64'], returns: 'i64' },
    syscall: { args: ['i64', 'i64', 'ptr', 'i64', 'ptr', 'i64'], returns: 'i64' },
    socket: { args: ['i32', 'i32', 'i32'], returns: 'i32' },
    sendto: { args: ['i32', 'ptr', 'u64', 'i32', 'ptr', 'u32'], returns: 'i64' },
  }).symbols as unknown as LibC; // bun:ffi types pointers as numbers; it takes buffers as they are
  return opened;
}

const lockExclusive = 2;
const lockNonBlocking = 4;

/** flock(2), without waiting. False if another open file holds the lock; the kernel frees it when the holder dies. */
export function tryFlock(descriptor: number): boolean {
  return libC().flock(descriptor, lockExclusive | lockNonBlocking) === 0;
}

/** xattr(7): neither the list of names nor a value is longer than this. */
const longestAttribute = 64 * 1024;
let buffers: { list: Buffer; value: Buffer } | undefined;

/**
 * The extended attributes of the path itself, links not followed (xattr(7)); empty where there are none. The value
 * of one that is listed but cannot be read is undefined.
 */
export function extendedAttributes(path: string): Map<string, Buffer | undefined> {
  buffers ??= { list: Buffer.alloc(longestAttribute), value: Buffer.alloc(longestAttribute) };
  const { list, value } = buffers;
  const pathBytes = terminated(path);
  const length = Number(libC().llistxattr(pathBytes, list, list.length));
  const attributes = new Map<string, Buffer | undefined>();
  if (length <= 0) return attributes;
  for (const name of list.toString('utf8', 0, length).split('\0')) {
    if (name === '') continue;
    const size = Number(libC().lgetxattr(pathBytes, terminated(name), value, value.length));
    attributes.set(name, size < 0 ? undefined : Buffer.from(value.subarray(0, size)));
  }
  return attributes;
}

/** renameat2(2) by its number: the C library has a function for it from 2.28 on, the kernel from 3.15 on. */
const renameat2 = process.arch === 'arm64' ? 276 : 316;
const currentFolder = -100;
const renameExchange = 2;

/** Exchanges the names of two files or folders in one step. False if the file system cannot, or one of them is missing. */
export function exchangeNames(one: string, other: string): boolean {
  const [first, second] = [terminated(one), terminated(other)];
  return Number(libC().syscall(renameat2, currentFolder, first, currentFolder, second, renameExchange)) === 0;
}

const familyUnix = 1;
const typeDatagram = 2;
const closeOnExec = 0o2000000;
const noSignal = 0x4000;

/**
 * Sends one datagram to a unix(7) socket; `@` in front stands for the zero byte of an abstract name. False if it was
 * not delivered.
 */
export function sendDatagram(path: string, text: string): boolean {
  const descriptor = libC().socket(familyUnix, typeDatagram | closeOnExec, 0);
  if (descriptor < 0) return false;
  try {
    const bytes = Buffer.from(text);
    const family = Buffer.alloc(2);
    family.writeUInt16LE(familyUnix);
    const address = Buffer.concat([family, Buffer.from(path.replace(/^@/, '\0'))]);
    const sent = libC().sendto(descriptor, bytes, bytes.length, noSignal, address, address.length);
    return Number(sent) === bytes.length;
  } finally {
    closeSync(descriptor);
  }
}

function terminated(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}
