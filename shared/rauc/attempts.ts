import { Failure, reasonOf } from '../system/failure.ts';
import { command } from '../system/process/command.ts';

/** Sets U-Boot's boot counters, which RAUC also changes: `BOOT_<bootname>_LEFT`, in hex (RAUC manual, "U-Boot"). */

const toolMs = 30_000;
/** RAUC's `boot-attempts` unless system.conf says otherwise. */
const mostAttempts = 3;

/**
 * Gives back the attempt that this boot has used: a requested reboot is no failed boot. Returns the attempts that are
 * left then. Throws a Failure.
 */
export async function giveAttemptBack(bootname: string): Promise<number> {
  const variable = `BOOT_${bootname}_LEFT`;
  try {
    const { stdout } = await command({ deadlineMs: toolMs })`fw_printenv -n ${variable}`;
    const left = Number.parseInt(stdout.trim(), 16);
    if (!(left >= 0)) throw new Failure(`it is "${stdout.trim()}"`);
    const given = Math.min(left + 1, mostAttempts);
    if (given > left) await command({ deadlineMs: toolMs })`fw_setenv ${variable} ${given.toString(16)}`;
    return given;
  } catch (error) {
    throw new Failure(`Cannot give the boot attempt of "${bootname}" back: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}
