const bootnames = ['A', 'B'] as const;
export type Bootname = (typeof bootnames)[number];

export interface BootChoice {
  bootname: Bootname;
  /** What the boot script saves before it boots; empty where nothing has changed. */
  save: Record<string, string>;
  /** No listed slot had an attempt left, so all were given theirs again. */
  refilled: boolean;
}

const fullAttempts = 3;
/** Less than full: more in a later boot says that Linux has proved a slot good since. */
const refilledAttempts = 2;

/**
 * Chooses as the boot script does (docs/decisions/boot-script.md) where every slot has a kernel: BOOT_ORDER is a
 * list, the first slot in it with attempts left is booted and pays one. Nothing that is not listed is ever booted,
 * unless nothing is listed at all: then both are.
 */
export function chooseBoot(variables: Readonly<Record<string, string>>): BootChoice {
  const listed = [...new Set((variables['BOOT_ORDER'] ?? '').split(/\s+/))].filter(isBootname);
  const order = listed.length > 0 ? listed : [...bootnames];
  const left = new Map(bootnames.map((name) => [name, attemptsOf(variables[`BOOT_${name}_LEFT`])]));
  const save: Record<string, string> = listed.length > 0 ? {} : { BOOT_ORDER: order.join(' ') };
  const first = order.find((name) => left.get(name) !== 0);
  const wasRefilled = variables['homie_boot_refilled'] === '1';
  if (first === undefined && wasRefilled) return { bootname: order[0] ?? 'A', save, refilled: false };

  const bootname = first ?? order[0] ?? 'A';
  if (first === undefined) {
    for (const name of order) save[`BOOT_${name}_LEFT`] = String(refilledAttempts);
    save['homie_boot_refilled'] = '1';
    return { bootname, save, refilled: true };
  }
  const attempts = left.get(first) ?? fullAttempts;
  save[`BOOT_${first}_LEFT`] = (attempts - 1).toString(16);
  if (wasRefilled && attempts > refilledAttempts) save['homie_boot_refilled'] = '';
  return { bootname, save, refilled: false };
}

function isBootname(text: string): text is Bootname {
  return text === 'A' || text === 'B';
}

/** One hexadecimal digit, as RAUC writes them; anything else, and none, is a board fresh from the factory. */
function attemptsOf(value: string | undefined): number {
  return value !== undefined && /^[\da-f]$/.test(value) ? Number.parseInt(value, 16) : fullAttempts;
}
