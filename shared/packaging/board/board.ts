import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, reasonOf } from '../../system/failure.ts';
import { project } from '../project.ts';
import { type BoardText, readBoardText } from './board-schema.ts';
import { type EnvironmentCopy, parseFwEnvConfig } from './fw-env-config.ts';

/** A board that an image can be made for, as its folder in `bundle-skeleton/boards/` describes it. */
export interface Board {
  /** The folder's name. */
  name: string;
  summary: string;
  /** `compatible=` in system.conf and in the board's bundles. */
  compatible: string;
  /** In the order of the disk; the last partition takes the rest of the disk, at least `sizeMiB`. */
  partitions: readonly BoardPartition[];
  boot: BoardBoot;
  environment: BoardEnvironment;
}

export interface BoardPartition {
  /** The PARTLABEL, the only name by which Linux finds the partition. */
  label: BoardText['partitions'][number]['label'];
  type: 'vfat' | 'ext4';
  sizeMiB: number;
}

/** All paths are inside a slot. */
interface BoardBoot {
  kernel: string;
  initrd: string | undefined;
  /** A path in the slot, or `$name`: the firmware's variable that holds the address of the device tree. */
  deviceTree: string;
  /** The U-Boot variable that holds the kernel arguments of the board's firmware. */
  ownBootargsVariable: string;
  bootargs: string;
  panicSeconds: number;
}

/** U-Boot's environment is loaded and saved by U-Boot itself, or by our boot script in the copies on a disk. */
type BoardEnvironment = { copies: readonly EnvironmentCopy[] } & (
  | { kind: 'native' }
  /** `scratchAddress`: memory of the board that neither U-Boot nor a kernel uses while the script runs. */
  | { kind: 'disk'; scratchAddress: number }
);

const boards = join(project.skeleton, 'boards');

export function boardNames(): string[] {
  return readdirSync(boards).sort();
}

/** The folder with a board's files: `board.yaml`, and `fw_env.config`, which is the slot's /etc/fw_env.config. */
export function boardFolder(name: string, folder = boards): string {
  return join(folder, name);
}

/** Reads a board's folder. Throws a usage Failure that names file, line, key and what was expected. */
export function readBoard(name: string, folder = boards): Board {
  if (!/^[\w-]+$/.test(name) || !existsSync(boardFolder(name, folder))) {
    const advice = `Boards are ${boardNames().join(', ')}`;
    throw new Failure(`Cannot use the board "${name}": there is no such board`, { outcome: 'usage', advice });
  }
  const path = join(boardFolder(name, folder), 'board.yaml');
  const copiesPath = join(boardFolder(name, folder), 'fw_env.config');
  const board = boardOf(name, readBoardText(read(path), path));
  return {
    ...board,
    environment: environmentOf(board.environment, parseFwEnvConfig(read(copiesPath), copiesPath), copiesPath),
  };
}

type UnreadBoard = Omit<Board, 'environment'> & { environment: BoardText['environment'] };

function boardOf(
  name: string,
  { summary, compatible, partitions, boot, environment }: BoardText,
): UnreadBoard {
  return {
    name,
    summary,
    compatible,
    partitions: partitions.map(({ label, type, size_mib }) => ({ label, type, sizeMiB: size_mib })),
    boot: {
      kernel: boot.kernel,
      initrd: boot.initrd,
      deviceTree: boot.device_tree,
      ownBootargsVariable: boot.own_bootargs_variable ?? 'bootargs',
      bootargs: boot.bootargs,
      panicSeconds: boot.panic_seconds,
    },
    environment,
  };
}

const firstPartitionByte = 1024 * 1024;
const tableEndByte = 34 * 512;
const blockBytes = 512;

/** On a disk there must be two copies, in whole blocks between the partition table and the first partition. */
function environmentOf(
  environment: BoardText['environment'],
  copies: readonly EnvironmentCopy[],
  path: string,
): BoardEnvironment {
  if (environment.kind === 'native') return { kind: 'native', copies };
  const wrong = (reason: string): Failure =>
    new Failure(`Cannot use "${path}": ${reason}`, { outcome: 'usage' });
  if (copies.length !== 2) throw wrong('on a disk there are two copies');
  for (const { offsetBytes, sizeBytes } of copies) {
    const isFree = offsetBytes >= tableEndByte && offsetBytes + sizeBytes <= firstPartitionByte;
    if (isFree && offsetBytes % blockBytes === 0 && sizeBytes % blockBytes === 0) continue;
    throw wrong(`0x${offsetBytes.toString(16)} is not in whole blocks before the first partition`);
  }
  return { kind: 'disk', copies, scratchAddress: environment.scratch_address };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Failure(`Cannot read "${path}": ${reasonOf(error)}`, { outcome: 'usage', cause: error });
  }
}
