const bootnames = ['A', 'B'] as const;
export type Bootname = (typeof bootnames)[number];

export interface BootChoice {
  bootname: Bootname;
  /** The variables that the boot script saves before it boots; empty if nothing has changed. */
  save: Record<string, string>;
  /** True if no listed slot had an attempt left, so that all listed slots got new attempts. */
  refilled: boolean;
}

const fullAttempts = 3;
/** Less than full: a higher count at a later boot shows that Linux has proved a slot good since then. */
const refilledAttempts = 2;

/**
 * Chooses a slot as the boot script does (docs/decisions/boot-script.md) if every slot has a kernel. BOOT_ORDER is a list:
 * the first slot in it that has attempts left is booted and uses up one. A slot that is not listed is never booted, unless
 * no slot is listed at all: then both count as listed.
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

/** One hexadecimal digit, as RAUC writes it; any other value, or none, counts as full, as on a board fresh from the factory. */
function attemptsOf(value: string | undefined): number {
  return value !== undefined && /^[\da-f]$/.test(value) ? Number.parseInt(value, 16) : fullAttempts;
}
