export const bootnames = ['A', 'B'] as const;
export type Bootname = (typeof bootnames)[number];

export interface BootChoice {
  bootname: Bootname;
  /** What the boot script saves before it boots. */
  save: Record<string, string>;
  /** No listed slot had an attempt left, so all were given theirs again. */
  refilled: boolean;
}

const fullAttempts = 3;

/**
 * Chooses as the boot script does: BOOT_ORDER is a list, the first slot in it with attempts left is booted and
 * pays one. Attempts are hexadecimal, as RAUC writes them. Nothing that is not listed is ever booted, unless
 * nothing is listed at all: then both are.
 */
export function chooseBoot(variables: Readonly<Record<string, string>>): BootChoice {
  const listed = (variables['BOOT_ORDER'] ?? '').split(/\s+/).filter(isBootname);
  const order = listed.length > 0 ? listed : [...bootnames];
  const save: Record<string, string> = listed.length > 0 ? {} : { BOOT_ORDER: order.join(' ') };
  for (const bootname of order) {
    const left = attemptsOf(variables[`BOOT_${bootname}_LEFT`]);
    if (left === 0) continue;
    save[`BOOT_${bootname}_LEFT`] = (left - 1).toString(16);
    return { bootname, save, refilled: false };
  }
  for (const bootname of order) save[`BOOT_${bootname}_LEFT`] = fullAttempts.toString(16);
  const bootname = order[0] ?? 'A';
  save[`BOOT_${bootname}_LEFT`] = (fullAttempts - 1).toString(16);
  return { bootname, save, refilled: true };
}

export function isBootname(text: string): text is Bootname {
  return text === 'A' || text === 'B';
}

/** A variable that was never set is a board fresh from the factory. */
function attemptsOf(value: string | undefined): number {
  if (value === undefined) return fullAttempts;
  const left = Number.parseInt(value, 16);
  return Number.isNaN(left) || left < 0 ? 0 : left;
}
