import { existsSync } from 'node:fs';
import * as v from 'valibot';
import { Failure, reasonOf } from '../../system/failure.ts';
import { formatBytes } from '../../system/files/disk.ts';
import { command } from '../../system/process/command.ts';

/** What lsblk says of a block device that somebody wants to write an image to. */
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
  /** Itself, its partitions, and what is made of those (LVM, encrypted disks). */
  mounted: string[];
  /** An eMMC is hot-pluggable to the kernel, yet it is soldered: only that has boot partitions. */
  isEmmc: boolean;
}

/** Undefined: the image may be written to it. The reason why not, else; what is worst is told first. */
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

/** Throws a usage Failure for a disk that the image must not be written to, and for what is no block device. */
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

/** Reads lsblk's JSON for one device. Throws where it is of another form. */
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
