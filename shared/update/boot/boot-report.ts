import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMissing, reasonOf } from '../../system/failure.ts';
import type { Places } from '../../system/places.ts';
import type { Log } from '../../system/terminal/log.ts';

/**
 * The meaning of each `homie.boot=` value that our boot script puts on the kernel command line (docs/decisions/boot-script.md).
 */
const meanings: Readonly<Record<string, string>> = {
  defaults: 'its saved variables were missing or damaged, and the defaults were used instead',
  refilled: 'no slot had an attempt left, and all got new ones, which happens only once',
  exhausted: 'no slot has proved good for so long that attempts are no longer counted',
  unsaved:
    'it cannot save its variables: attempts are not counted, and a slot that fails is tried again and again',
};

/** Undefined for a normal boot, and for a boot script that is not ours. */
export function bootTroubleIn(commandLine: string): string | undefined {
  const words = commandLine.trim().split(/\s+/);
  const report = words.findLast((word) => word.startsWith('homie.boot='))?.slice('homie.boot='.length);
  return report === undefined ? undefined : meanings[report];
}

/** Warns when the boot script reports a problem. Does not throw. */
export function warnOfBootTrouble({ root }: Places, log: Log): void {
  try {
    const trouble = bootTroubleIn(readFileSync(join(root, 'proc/cmdline'), 'utf8'));
    if (trouble !== undefined) log.warn(`The boot script reports: ${trouble}`);
  } catch (error) {
    if (!isMissing(error)) log.warn(`Cannot read the kernel's command line: ${reasonOf(error)}`);
  }
}
