/** The rules of the boot script, as a reference: which slot comes up, and what it leaves in the environment. */

export type Bootname = 'A' | 'B';

export interface BootEnvironment {
  /** The slots that may be tried, the primary one first. */
  order: readonly Bootname[];
  /** How often each may still be tried. */
  left: Readonly<Record<Bootname, number>>;
}

/** RAUC's `boot-attempts`. */
export const fullAttempts = 3;

export const bothNames: readonly Bootname[] = ['A', 'B'];

/** The first slot of the order that has an attempt left, which this boot costs. All spent: each gets its own again. */
export function bootOnce(environment: BootEnvironment): { booted: Bootname; environment: BootEnvironment } {
  const order = environment.order.length === 0 ? bothNames : environment.order;
  const isSpent = order.every((name) => environment.left[name] <= 0);
  const left = { ...environment.left };
  if (isSpent) for (const name of order) left[name] = fullAttempts;
  const booted = order.find((name) => left[name] > 0) ?? 'A';
  left[booted] -= 1;
  return { booted, environment: { order, left } };
}

/** The bootloader finds the slot unbootable until its attempts are used up: what a fallback looks like. */
export function exhaust(environment: BootEnvironment, name: Bootname): BootEnvironment {
  return { ...environment, left: { ...environment.left, [name]: 0 } };
}

export function otherName(name: Bootname): Bootname {
  return name === 'A' ? 'B' : 'A';
}

/** As it lies in a file that a shell script can read. */
export function environmentText({ order, left }: BootEnvironment): string {
  return `ORDER='${order.join(' ')}'\nLEFT_A=${left.A}\nLEFT_B=${left.B}\n`;
}

export function parseEnvironment(text: string): BootEnvironment {
  const order = /^ORDER='(.*)'$/m.exec(text)?.[1] ?? '';
  const left = (name: Bootname): number => Number(new RegExp(`^LEFT_${name}=(\\d+)$`, 'm').exec(text)?.[1]);
  return {
    order: order.split(' ').filter((name): name is Bootname => name === 'A' || name === 'B'),
    left: { A: left('A'), B: left('B') },
  };
}
