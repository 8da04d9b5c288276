import { closeSync, openSync, readSync } from 'node:fs';
import { Failure } from '../../system/failure.ts';
import { isOlder } from './dotted-version.ts';

/** What a device must have to run a program. Only the program's headers are read, however large the file is (elf(5)). */
export interface Elf {
  architecture: 'arm64' | 'x64' | 'other';
  /** `e_machine`, for messages about other architectures. */
  machine: number;
  /** The loader that the program asks for; undefined if it is linked statically. */
  loader: string | undefined;
  /** The newest glibc among the symbol versions that the program needs, like `2.17`; undefined if it needs none. */
  glibc: string | undefined;
}

const machines: Record<number, 'arm64' | 'x64'> = { 183: 'arm64', 62: 'x64' };
const headerBytes = 64;
const segmentBytes = 56;
const segmentLoad = 1;
const segmentDynamic = 2;
const segmentInterpreter = 3;
const dynamicEnd = 0;
const dynamicStrings = 5;
const dynamicVersionsNeeded = 0x6fff_fffe;
const dynamicVersionsNeededCount = 0x6fff_ffff;
/** Lists in a broken file could be endless. */
const mostEntries = 65_536;
/** The need for packed relocations is a symbol version without a number, GLIBC_ABI_DT_RELR; glibc 2.36 introduced it. */
const glibcOfPackedRelocations = '2.36';

interface Segment {
  type: number;
  offset: number;
  address: number;
  bytes: number;
}

/** Returns `undefined` if the file is no ELF. Throws a Failure if it is an ELF that cannot be read. */
export function readElf(path: string): Elf | undefined {
  const descriptor = openSync(path, 'r');
  try {
    const read = (offset: number, bytes: number): Buffer => {
      const buffer = Buffer.alloc(bytes);
      const count = bytes === 0 ? 0 : readSync(descriptor, buffer, 0, bytes, offset);
      return buffer.subarray(0, count);
    };
    const header = read(0, headerBytes);
    if (header.toString('latin1', 0, 4) !== '\x7fELF') return undefined;
    const machine = header.readUInt16LE(18);
    const is64BitLittleEndian = header[4] === 2 && header[5] === 1;
    if (!is64BitLittleEndian) return { architecture: 'other', machine, loader: undefined, glibc: undefined };
    const segments = readSegments(header, read);
    return {
      architecture: machines[machine] ?? 'other',
      machine,
      loader: readLoader(segments, read),
      glibc: readGlibc(segments, read),
    };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Failure(`Cannot read the program "${path}": its ELF headers point outside of it`, {
      advice: 'Build it again',
      cause: error,
    });
  } finally {
    closeSync(descriptor);
  }
}

type Read = (offset: number, bytes: number) => Buffer;

function readSegments(header: Buffer, read: Read): Segment[] {
  const offset = Number(header.readBigUInt64LE(32));
  const entryBytes = header.readUInt16LE(54);
  const count = header.readUInt16LE(56);
  if (count > 0 && entryBytes !== segmentBytes) throw new RangeError('segments of an unknown size');
  const table = read(offset, entryBytes * count);
  return Array.from({ length: count }, (_, index) => {
    const entry = table.subarray(index * entryBytes);
    return {
      type: entry.readUInt32LE(0),
      offset: Number(entry.readBigUInt64LE(8)),
      address: Number(entry.readBigUInt64LE(16)),
      bytes: Number(entry.readBigUInt64LE(32)),
    };
  });
}

function readLoader(segments: readonly Segment[], read: Read): string | undefined {
  const segment = segments.find(({ type }) => type === segmentInterpreter);
  return segment === undefined ? undefined : firstText(read(segment.offset, Math.min(segment.bytes, 4096)));
}

function readGlibc(segments: readonly Segment[], read: Read): string | undefined {
  const dynamic = segments.find(({ type }) => type === segmentDynamic);
  if (dynamic === undefined) return undefined;
  const values = readDynamic(read(dynamic.offset, Math.min(dynamic.bytes, mostEntries * 16)));
  const needs = fileOffset(segments, values.get(dynamicVersionsNeeded));
  const strings = fileOffset(segments, values.get(dynamicStrings));
  if (needs === undefined || strings === undefined) return undefined;

  let newest: string | undefined;
  const count = values.get(dynamicVersionsNeededCount) ?? 0;
  for (const name of versionsNeeded(needs, count, strings, read)) {
    const glibc = glibcOf(name);
    if (glibc !== undefined && (newest === undefined || isOlder(newest, glibc))) newest = glibc;
  }
  return newest;
}

/** Two linked lists, one in the other: the libraries (Verneed), and the versions needed of each (Vernaux). */
function* versionsNeeded(needs: number, count: number, strings: number, read: Read): Generator<string> {
  let need = needs;
  let budget = mostEntries;
  for (let index = 0; index < Math.min(count, mostEntries); index++) {
    const record = read(need, 16);
    let version = need + record.readUInt32LE(8);
    for (let left = record.readUInt16LE(2); left > 0; left--) {
      if (--budget < 0) throw new RangeError('too many symbol versions');
      const entry = read(version, 16);
      yield firstText(read(strings + entry.readUInt32LE(8), 64));
      version += entry.readUInt32LE(12);
    }
    need += record.readUInt32LE(12);
  }
}

function readDynamic(table: Buffer): Map<number, number> {
  const values = new Map<number, number>();
  for (let offset = 0; offset + 16 <= table.length; offset += 16) {
    const tag = Number(table.readBigInt64LE(offset));
    if (tag === dynamicEnd) break;
    values.set(tag, Number(table.readBigUInt64LE(offset + 8)));
  }
  return values;
}

function fileOffset(segments: readonly Segment[], address: number | undefined): number | undefined {
  if (address === undefined) return undefined;
  const segment = segments.find(
    ({ type, address: start, bytes }) => type === segmentLoad && address >= start && address < start + bytes,
  );
  return segment === undefined ? undefined : address - segment.address + segment.offset;
}

function glibcOf(version: string): string | undefined {
  if (version === 'GLIBC_ABI_DT_RELR') return glibcOfPackedRelocations;
  return /^GLIBC_(\d+(?:\.\d+)+)$/.exec(version)?.[1];
}

function firstText(buffer: Buffer): string {
  return buffer.toString('latin1').split('\0', 1)[0] ?? '';
}
