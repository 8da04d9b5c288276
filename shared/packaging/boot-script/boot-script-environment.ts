import type { Board } from '../board/board.ts';

/** The parts of the boot script that load and save its variables. */
export interface EnvironmentParts {
  load: string;
  /** Sets h_report to "unsaved" where it cannot save. */
  save: string;
}

/**
 * Renders the two parts. A native environment needs no loading: U-Boot has done it already. An environment on a disk has
 * libubootenv's format: two copies, each with a CRC of four bytes (little-endian), a counter of one byte, and the
 * variables.
 */
export function bootEnvironmentParts(
  environment: Board['environment'],
  variables: readonly string[],
): EnvironmentParts {
  if (environment.kind === 'native') {
    return { load: '', save: `if saveenv; then true; else h_report=unsaved; fi` };
  }
  const disk = layOut(environment);
  return { load: loadCopies(disk, variables), save: saveCopy(disk, variables) };
}

const headBytes = 5;
const blockBytes = 512;

interface Copy {
  address: number;
  block: number;
}

interface DiskLayout {
  copies: readonly [Copy, Copy];
  sizeBytes: number;
  /** Scratch memory for a CRC as U-Boot writes it (big-endian), and for the same CRC in little-endian. */
  crcAddress: number;
  turnedAddress: number;
}

function layOut({ copies, scratchAddress }: Extract<Board['environment'], { kind: 'disk' }>): DiskLayout {
  const [first, second] = copies;
  if (first === undefined || second === undefined) throw new Error('a board on a disk has two copies'); // readBoard()
  const { sizeBytes } = first;
  const crcAddress = scratchAddress + 2 * sizeBytes;
  return {
    copies: [
      { address: scratchAddress, block: first.offsetBytes / blockBytes },
      { address: scratchAddress + sizeBytes, block: second.offsetBytes / blockBytes },
    ],
    sizeBytes,
    crcAddress,
    turnedAddress: crcAddress + 4,
  };
}

function loadCopies(disk: DiskLayout, variables: readonly string[]): string {
  const [first, second] = disk.copies;
  return `# Which of the two copies is whole; of two, the one that was written last. 255 is followed by 0.
\${devtype} dev \${devnum}
h_whole_0=no
h_whole_1=no
h_copy=none
${checkCopy(first, 'h_whole_0', disk)}
${checkCopy(second, 'h_whole_1', disk)}
if test \${h_whole_0} = yes; then h_copy=0; fi
if test \${h_whole_1} = yes; then h_copy=1; fi
if test \${h_whole_0} = yes -a \${h_whole_1} = yes; then
  h_copy=0
  if itest.b ${at(flagOf(second))} > ${at(flagOf(first))}; then h_copy=1; fi
  if itest.b ${at(flagOf(first))} == 0 && itest.b ${at(flagOf(second))} == 0xff; then h_copy=0; fi
  if itest.b ${at(flagOf(first))} == 0xff && itest.b ${at(flagOf(second))} == 0; then h_copy=1; fi
fi
if test \${h_copy} = 0; then ${importCopy(first, disk, variables)}; fi
if test \${h_copy} = 1; then ${importCopy(second, disk, variables)}; fi
`;
}

function checkCopy({ address, block }: Copy, whole: string, disk: DiskLayout): string {
  const { sizeBytes, crcAddress, turnedAddress } = disk;
  return `if \${devtype} read ${hex(address)} ${hex(block)} ${hex(sizeBytes / blockBytes)}; then
  crc32 ${hex(address + headBytes)} ${hex(sizeBytes - headBytes)} ${hex(crcAddress)}
${turn(crcAddress, turnedAddress)}
  if cmp.b ${hex(address)} ${hex(turnedAddress)} 4; then ${whole}=yes; fi
fi`;
}

function importCopy({ address }: Copy, { sizeBytes }: DiskLayout, variables: readonly string[]): string {
  return `env import -b ${hex(address + headBytes)} ${hex(sizeBytes - headBytes)} ${variables.join(' ')}`;
}

/** Writes the copy that is not in use, with a counter that makes it the newer one. */
function saveCopy(disk: DiskLayout, variables: readonly string[]): string {
  const [first, second] = disk.copies;
  return `if test \${h_copy} = 0; then
${writeCopy(second, first, disk, variables)}
else
${writeCopy(first, second, disk, variables)}
fi`;
}

function writeCopy(copy: Copy, other: Copy, disk: DiskLayout, variables: readonly string[]): string {
  const { address, block } = copy;
  const { sizeBytes, crcAddress } = disk;
  const data = hex(address + headBytes);
  const dataBytes = hex(sizeBytes - headBytes);
  // Set the counter first: the export may write a few bytes too far, into the other copy, whose counter is read here.
  return `  mw.b ${hex(flagOf(copy))} 0xfe
  if test \${h_copy} != none && itest.b ${at(flagOf(other))} == 0xfe; then mw.b ${hex(flagOf(copy))} 0xff; fi
  if test \${h_copy} != none && itest.b ${at(flagOf(other))} == 0xff; then mw.b ${hex(flagOf(copy))} 0; fi
  env export -b -s ${dataBytes} ${data} ${variables.join(' ')}
  crc32 ${data} ${dataBytes} ${hex(crcAddress)}
${turn(crcAddress, address)}
  if \${devtype} write ${hex(address)} ${hex(block)} ${hex(sizeBytes / blockBytes)}; then true; else h_report=unsaved; fi`;
}

/** Copies four bytes in reverse order. */
function turn(from: number, to: number): string {
  return [0, 1, 2, 3].map((byte) => `  cp.b ${hex(from + 3 - byte)} ${hex(to + byte)} 1`).join('\n');
}

function flagOf({ address }: Copy): number {
  return address + 4;
}

function at(address: number): string {
  return `*${hex(address)}`;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
