import { readBoard } from '../../../shared/packaging/board/board.ts';
import type { BootVariables } from '../boot-model.ts';
import { decodeCopy, encodeCopy, newestOf, type Variables } from './environment-copy.ts';

/** Every environment that the boot script is tried from. */

const orders = ['A B', 'B A', 'A', 'B', '', undefined, 'x'];
const counters = ['0', '1', '2', '3', 'a', undefined, 'x'];
/** Values that fw_setenv can leave behind; the old shell fails at quotes. */
const oddOrders = ['B R A', 'A A B', 'R B', ' ', "A'", '"', '$(', 'A;B', 'a b', 'AB', '* B'];
const oddCounters = ['f', '10', '0x3', '-1', '3 x', '3 2', '', ' 2', "'", '"', 'F', '2;'];

export const everyStart: readonly BootVariables[] = orders.flatMap((order) =>
  counters.flatMap((a) => counters.map((b) => ({ order, left: { A: a, B: b } }))),
);

/** Once refilled already, and odd words. */
export const oddStarts: readonly BootVariables[] = [
  ...orders.flatMap((order) =>
    ['0', '1', '3'].flatMap((a) =>
      ['0', '1', '3'].map((b) => ({ order, left: { A: a, B: b }, refilled: '1' })),
    ),
  ),
  ...oddOrders.map((order) => ({ order, left: { A: '3', B: '2' } })),
  ...oddCounters.flatMap((odd) => [
    { order: 'A B', left: { A: odd, B: '2' } },
    { order: 'B A', left: { A: '1', B: odd } },
  ]),
];

const [copy] = readBoard('qemu-arm64').environment.copies;
const sizeBytes = copy?.sizeBytes ?? 0;
/** What the older copy says: nothing that the newer one could be mistaken for. */
const older: BootVariables = { order: 'B', left: { A: '7', B: '8' }, refilled: '1' };

/** The place of the newer copy, and the state of the other one. */
export const placements = [
  'first, before the second was ever written',
  'first, the second older',
  'second, the first older',
  'second, the first torn',
  'first, after the counter began anew',
] as const;
export type Placement = (typeof placements)[number];

export function environmentOf(start: BootVariables, placement: Placement): Buffer {
  const now = (counter: number) => encodeCopy(variablesOf(start), counter, sizeBytes);
  const before = (counter: number) => encodeCopy(variablesOf(older), counter, sizeBytes);
  switch (placement) {
    case 'first, before the second was ever written':
      return Buffer.concat([now(1), Buffer.alloc(sizeBytes)]);
    case 'first, the second older':
      return Buffer.concat([now(255), before(254)]);
    case 'second, the first older':
      return Buffer.concat([before(1), now(2)]);
    case 'second, the first torn':
      return Buffer.concat([torn(before(3)), now(2)]);
    case 'first, after the counter began anew':
      return Buffer.concat([now(0), before(255)]);
  }
}

/** Both copies are beyond reading, in ways a disk or a tool may leave behind. */
export const damagedEnvironments: readonly Buffer[] = [
  Buffer.alloc(2 * sizeBytes),
  Buffer.alloc(2 * sizeBytes, 0xff),
  Buffer.concat([torn(encodeCopy(variablesOf(older), 1, sizeBytes)), Buffer.alloc(sizeBytes, 0xff)]),
  // What `env export -c` makes: four bytes before the variables, one copy.
  Buffer.concat([encodeCopy(variablesOf(older), 1, sizeBytes).subarray(1), Buffer.alloc(sizeBytes + 1)]),
];

function torn(whole: Buffer): Buffer {
  const copyOfIt = Buffer.from(whole);
  copyOfIt.fill(0x55, 8, 12);
  return copyOfIt;
}

function variablesOf({ order, left, refilled }: BootVariables): Variables {
  const all = { BOOT_ORDER: order, BOOT_A_LEFT: left.A, BOOT_B_LEFT: left.B, homie_boot_refilled: refilled };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** The saved variables as the next boot will find them; undefined where nothing whole is there. */
export function variablesAfter(
  environment: Buffer,
): (BootVariables & { version: string | undefined }) | undefined {
  const found = newestOf(environment.subarray(0, sizeBytes), environment.subarray(sizeBytes));
  if (found === undefined) return undefined;
  const { BOOT_ORDER, BOOT_A_LEFT, BOOT_B_LEFT, homie_boot_refilled, homie_boot_version } = found;
  return {
    order: BOOT_ORDER,
    left: { A: BOOT_A_LEFT, B: BOOT_B_LEFT },
    refilled: homie_boot_refilled,
    version: homie_boot_version,
  };
}

/** How many of the copies are whole. */
export function wholeCopies(environment: Buffer): number {
  return [environment.subarray(0, sizeBytes), environment.subarray(sizeBytes)].filter((each) =>
    decodeCopy(each),
  ).length;
}
