import { existsSync } from 'node:fs';
import * as v from 'valibot';
import { Failure, reasonOf } from '../../system/failure.ts';
import { formatBytes } from '../../system/files/disk.ts';
import { command } from '../../system/process/command.ts';

/** The fields that lsblk gives for a block device to which the user wants to write an image. */
const nodeSchema = v.object({
  path: v.string(),
  type: v.string(),
  size: v.number(),
  rm: v.boolean(),
  hotplug: v.boolean(),
  ro: v.boolean(),
  mountpoints: v.array(v.nullable(v.string())),
});

type BlockNode = v.InferOutput<typeof nodeSchema>;

export interface CardFacts {
  disk: BlockNode;
  /** Mount points of the disk, of its partitions, and of what is made of those (LVM, encrypted disks). */
  mounted: string[];
  /** The kernel reports an eMMC as hot-pluggable, although it is soldered; only an eMMC has boot partitions. */
  isEmmc: boolean;
}

/** Returns the worst reason why the image must not be written to the disk; undefined if it may be written. */
export function decideCard({ disk, mounted, isEmmc }: CardFacts, imageBytes: number): string | undefined {
  if (disk.type !== 'disk') return `it is a ${disk.type}, and not a whole disk`;
  if (mounted.length > 0) return `it is in use, mounted at ${mounted.join(', ')}`;
  if (isEmmc) return 'it is an eMMC of this machine';
  if (!disk.rm && !disk.hotplug) return 'it is a fixed disk of this machine';
  if (disk.ro) return 'it is write-protected';
  if (disk.size < imageBytes) {
    return `it has ${formatBytes(disk.size)}, the image needs ${formatBytes(imageBytes)}`;
  }
  return undefined;
}

/** Throws a usage Failure for a disk to which the image must not be written, and for a path that is no block device. */
export async function requireCard(device: string, imageBytes: number): Promise<void> {
  const reason = decideCard(await readCard(device), imageBytes);
  if (reason === undefined) return;
  throw new Failure(`Cannot write the image to "${device}": ${reason}`, {
    outcome: 'usage',
    advice: 'Name a card or stick that is not mounted; lsblk lists them',
  });
}

async function readCard(device: string): Promise<CardFacts> {
  const columns = 'PATH,TYPE,SIZE,RM,HOTPLUG,RO,MOUNTPOINTS';
  try {
    const run = command({ deadlineMs: 30_000 });
    const { stdout } = await run`lsblk --json --bytes --output ${columns} -- ${device}`;
    return parseLsblk(stdout, existsSync(`${device}boot0`));
  } catch (error) {
    throw new Failure(`Cannot write the image to "${device}": ${reasonOf(error)}`, {
      outcome: 'usage',
      cause: error,
    });
  }
}

interface NodeWithChildren extends BlockNode {
  children?: unknown[] | undefined;
}

/** Reads lsblk's JSON for one device. Throws if the JSON has another form or no device. */
export function parseLsblk(text: string, isEmmc: boolean): CardFacts {
  const { blockdevices } = v.parse(v.object({ blockdevices: v.array(v.unknown()) }), JSON.parse(text));
  const nodes = blockdevices.flatMap(flatten);
  const [disk] = nodes;
  if (disk === undefined) throw new Failure('lsblk knows no such device');
  const mounted = nodes.flatMap(({ mountpoints }) => mountpoints.filter((place) => place !== null));
  return { disk, mounted, isEmmc };
}

function flatten(value: unknown): BlockNode[] {
  const node: NodeWithChildren = v.parse(
    v.object({ ...nodeSchema.entries, children: v.optional(v.array(v.unknown())) }),
    value,
  );
  const { children = [], ...own } = node;
  return [own, ...children.flatMap(flatten)];
}
