/**
 * The boot script's rules, in few lines: what the real one is held against. See docs/decisions/boot-script.md.
 * Nothing here knows of U-Boot.
 */

export type Slot = 'A' | 'B';

/** The saved variables as they stand; undefined where there is none. */
export interface BootVariables {
  order?: string | undefined;
  left: Readonly<Record<Slot, string | undefined>>;
  refilled?: string | undefined;
}

export interface ModelBoot {
  /** None where no slot can be loaded. */
  slot: Slot | undefined;
  report: 'ok' | 'defaults' | 'refilled' | 'exhausted';
  /** What is saved; undefined where nothing has changed. */
  saved: BootVariables | undefined;
}

/** One boot, from the saved variables and the slots whose kernel can be loaded. */
export function modelBoot(variables: BootVariables, canLoad: (slot: Slot) => boolean): ModelBoot {
  const known = [...new Set(words(variables.order))].filter((word) => word === 'A' || word === 'B');
  const order: Slot[] = known.length > 0 ? known : ['A', 'B'];
  const read = { A: digitOf(variables.left.A), B: digitOf(variables.left.B) };
  const left = { A: read.A ?? 3, B: read.B ?? 3 };
  const isDefault = known.length === 0 || read.A === undefined || read.B === undefined;
  let report: ModelBoot['report'] = isDefault ? 'defaults' : 'ok';
  let hasChanged = isDefault;
  let { refilled } = variables;

  let slot = firstThatPays();
  if (slot === undefined && refilled !== '1') {
    for (const [place, each] of order.entries()) left[each] = place === 0 ? 3 : 2;
    [refilled, report, hasChanged] = ['1', 'refilled', true];
    slot = firstThatPays();
  }
  if (slot === undefined) {
    slot = order.find(canLoad);
    report = 'exhausted';
  }
  const hex = { A: left.A.toString(16), B: left.B.toString(16) };
  const saved = { order: known.length > 0 ? variables.order : 'A B', left: hex, refilled };
  return { slot, report, saved: hasChanged ? saved : undefined };

  function firstThatPays(): Slot | undefined {
    return order.find((each) => {
      if (left[each] === 0) return false;
      if (left[each] > 2 && report !== 'refilled') refilled = undefined;
      left[each] -= 1;
      hasChanged = true;
      return canLoad(each);
    });
  }
}

/** One hexadecimal digit, as RAUC writes it; of several words the last that is one. */
function digitOf(value: string | undefined): number | undefined {
  const digit = words(value).findLast((word) => /^[\da-f]$/.test(word));
  return digit === undefined ? undefined : Number.parseInt(digit, 16);
}

function words(value: string | undefined): string[] {
  return (value ?? '').split(/[ \t]+/).filter((word) => word !== '');
}
