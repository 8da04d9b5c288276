import { bad, type Check, type Judgement, ok, warn, worst } from './check-result.ts';
import { readTextIn } from './text-file.ts';

/** Checks the kernel's command line, as the boot script made it. */
export const commandLine: Check = {
  name: 'kernel command line',
  async run({ places }) {
    return judgeCommandLine(readTextIn(places.root, '/proc/cmdline'));
  },
};

export function judgeCommandLine(text: string | undefined): Judgement {
  if (text === undefined) return warn('it cannot be read', 'Mount /proc');
  const words = text.trim().split(/\s+/);
  const slot = words.findLast((word) => word.startsWith('rauc.slot='));
  const root = words.findLast((word) => word.startsWith('root='));
  return worst(
    [
      slot === undefined && (root === undefined || root.startsWith('root=LABEL='))
        ? bad(
            'it has no rauc.slot=, and RAUC cannot tell the slot by root=',
            'Use our boot script, which says rauc.slot=',
          )
        : undefined,
      slot === undefined
        ? warn(
            `it has no rauc.slot=: RAUC tells the slot by "${root}"`,
            'Use our boot script, which says rauc.slot=',
          )
        : undefined,
      words.some((word) => /^panic=-?[1-9]\d*$/.test(word))
        ? undefined
        : warn(
            'it has no panic=: a kernel that panics hangs, and the bootloader never falls back',
            'Add panic=10',
          ),
    ],
    ok(`it says "${slot}", and reboots after a panic`),
  );
}
