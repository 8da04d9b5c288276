import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, reasonOf } from '../../system/failure.ts';
import { command } from '../../system/process/command.ts';
import { epochSeconds } from '../bundle/manifest.ts';
import { ext4Features } from '../device/disk.ts';

export interface ImageOptions {
  /** Where the file system goes; an older one of that name is replaced when the new one is whole. */
  output: string;
  label: string;
  /** The UUID is made from this text: the same text gives the same UUID. */
  identity: string;
  /** If undefined, the size is fitted to the content. */
  sizeMiB: number | undefined;
  time: Date;
  work: string;
  signal?: AbortSignal | undefined;
}

const mib = 1024 * 1024;
const imageMs = 30 * 60_000;
/** Space for the programs of the next release beside the current ones, and for the logs of an hour without /data. */
const spareMiB = 192;

/**
 * Makes an ext4 of the tree that Linux 4.9 and an old U-Boot can read; the same bytes for the same tree and time. It is
 * made of a squashfs of the tree, which has all names in order and no times but the files' own. Needs root. Throws a
 * Failure; then an older image of that name stays.
 */
export async function makeImage(tree: string, options: ImageOptions): Promise<void> {
  const { output, label, identity, time, work, signal } = options;
  const env = { SOURCE_DATE_EPOCH: String(epochSeconds(time)) };
  const run = command({ deadlineMs: imageMs, signal, env });
  const packed = join(work, 'tree.squashfs');
  const mount = join(work, 'tree.mount');
  // In the output's folder, so that the rename at the end stays on one file system.
  const part = `${output}.part`;
  await run`mksquashfs ${tree} ${packed} -noappend -no-progress -noI -noD -noF -noX -exports`;
  mkdirSync(mount);
  await run`mount -t squashfs -o loop,ro ${packed} ${mount}`;
  try {
    const cost = await treeCost(mount, signal);
    const sizeMiB = options.sizeMiB ?? fittedMiB(cost);
    const layout = ['-b', '4096', '-I', '256', '-i', String(bytesPerInode(cost, sizeMiB)), '-m', '1'];
    const id = uuidFrom(identity);
    // The kernel writes the inode tables when it runs (lazy_itable_init): a block map would leave out their zeros.
    const extended = `root_owner=0:0,hash_seed=${id},lazy_itable_init=1,lazy_journal_init=0`;
    const make = command({
      deadlineMs: imageMs,
      signal,
      env: { E2FSPROGS_FAKE_TIME: String(epochSeconds(time)) },
    });
    await make`mkfs.ext4 -q -F ${layout} -L ${label} -U ${id} -O ${ext4Features} -E ${extended} -d ${mount} ${part} ${`${sizeMiB}M`}`;
  } catch (error) {
    rmSync(part, { force: true });
    throw new Failure(`Cannot make the file system "${output}": ${reasonOf(error)}`, {
      cause: error,
      ...(options.sizeMiB === undefined
        ? {}
        : { advice: 'Is it large enough? Without --size-mib it is fitted' }),
    });
  } finally {
    await command({ deadlineMs: imageMs })`umount ${mount}`;
    rmdirSync(mount);
    rmSync(packed, { force: true });
  }
  renameSync(part, output);
}

interface TreeCost {
  blocks: number;
  inodes: number;
}

/** Counts inodes and blocks of 4 KiB, as ext4 will store the tree. */
async function treeCost(tree: string, signal: AbortSignal | undefined): Promise<TreeCost> {
  const run = command({ deadlineMs: imageMs, signal });
  const { stdout } = await run`find ${tree} -xdev -printf ${'%s %n %y\\n'}`;
  let blocks = 0;
  let inodes = 0;
  for (const line of stdout.trimEnd().split('\n')) {
    const [bytes = '0', links = '1', kind] = line.split(' ');
    const share = kind === 'd' ? 1 : 1 / Number(links);
    inodes += share;
    if (kind === 'd') blocks += Math.max(1, Math.ceil(Number(bytes) / 4096));
    if (kind === 'f') blocks += Math.ceil(Number(bytes) / 4096) * share;
  }
  return { blocks: Math.ceil(blocks), inodes: Math.ceil(inodes) };
}

/** Content, a twelfth and 64 MiB for tables and the journal, and space for what the system writes before its first update. */
export function fittedMiB({ blocks, inodes }: TreeCost): number {
  const content = (blocks * 4096 + inodes * 256) / mib;
  const wanted = content * 1.085 + 64 + spareMiB;
  return Math.ceil(wanted / 16) * 16;
}

/** The usual value of mke2fs, or half of it if that gives too few inodes; mke2fs.conf differs from host to host. */
export function bytesPerInode({ inodes }: TreeCost, sizeMiB: number): number {
  const usual = 16_384;
  return (sizeMiB * mib) / usual > inodes * 1.5 ? usual : usual / 2;
}

/** A name-based UUID, of version 5's form. */
export function uuidFrom(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  const variant = `8${hex.slice(17, 20)}`;
  return [hex.slice(0, 8), hex.slice(8, 12), `5${hex.slice(13, 16)}`, variant, hex.slice(20, 32)].join('-');
}
