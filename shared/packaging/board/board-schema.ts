import * as v from 'valibot';
import { notList, readCheckedYaml } from '../../config/checked-yaml.ts';

/** The schema of `board.yaml`, which holds what differs between boards, and nothing else. */

const text = (pattern: RegExp, expected: string) => v.pipe(v.string(expected), v.regex(pattern, expected));
const numberFrom = (least: number, most: number, expected: string) =>
  v.pipe(v.number(expected), v.integer(expected), v.minValue(least, expected), v.maxValue(most, expected));

const pathInSlot = text(/^\/[\w./+-]+$/, 'a path in a slot, like /boot/Image');
const variable = text(/^\w+$/, "the name of one of U-Boot's variables");
/** The arguments go into a quoted word of the boot script: no quotes and no `$` are allowed. */
const kernelArguments = text(/^[\w ./:=,+-]*$/, 'arguments for the kernel, like console=ttyS0,115200n8');

const partition = v.strictObject({
  label: v.picklist(['boot', 'rootfs-a', 'rootfs-b', 'data'], 'boot, rootfs-a, rootfs-b or data'),
  type: v.picklist(['vfat', 'ext4'], 'vfat or ext4'),
  size_mib: numberFrom(1, 1024 * 1024, 'a number of MiB from 1 to 1048576'),
});

const boot = v.strictObject({
  kernel: pathInSlot,
  initrd: v.optional(pathInSlot),
  device_tree: text(/^(\/[\w./+-]+|\$\w+)$/, 'a path in a slot, or a variable like $fdtcontroladdr'),
  own_bootargs_variable: v.optional(variable),
  bootargs: kernelArguments,
  panic_seconds: numberFrom(1, 300, 'a number of seconds from 1 to 300'),
});

const environment = v.variant(
  'kind',
  [
    v.strictObject({ kind: v.literal('native') }),
    v.strictObject({
      kind: v.literal('disk'),
      scratch_address: numberFrom(1, 2 ** 40, 'an address like 0x40380000'),
    }),
  ],
  'native or disk',
);

const labelsInOrder = 'boot,rootfs-a,rootfs-b,data';
const fileSchema = v.pipe(
  v.unknown(),
  notList,
  v.strictObject({
    summary: v.string('a text'),
    compatible: text(/^[\w-]+$/, 'a name like jetson-nano-homie'),
    partitions: v.pipe(
      v.array(v.pipe(v.unknown(), notList, partition), 'a list of partitions'),
      v.check(
        (all) => all.map(({ label }) => label).join(',') === labelsInOrder,
        'the partitions boot, rootfs-a, rootfs-b and data, in this order',
      ),
    ),
    boot: v.pipe(v.unknown(), notList, boot),
    environment: v.pipe(v.unknown(), notList, environment),
  }),
);

export type BoardText = v.InferOutput<typeof fileSchema>;

/** Parses and checks; `path` is for the message only. Throws a usage Failure. */
export function readBoardText(yaml: string, path: string): BoardText {
  return readCheckedYaml(yaml, { what: `the board "${path}"`, schema: fileSchema, knownKeys });
}

function knownKeys([group = '', ...more]: readonly string[]): string[] {
  if (more.length === 0) return ['summary', 'compatible', 'partitions', 'boot', 'environment'];
  if (group === 'partitions') return Object.keys(partition.entries);
  return group === 'boot' ? Object.keys(boot.entries) : ['kind', 'scratch_address'];
}
