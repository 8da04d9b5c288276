import { bad, type Check, type Judgement, ok, warn, worst } from './check-result.ts';
import { readBytesIn, readTextIn } from './text-file.ts';

/** Checks the script by which U-Boot chooses the slot: it must count attempts, and be one that this version knows. */

export interface BootScriptFacts {
  /** The kernel's command line, in which our script writes its version. */
  commandLine: string;
  /** The script file in the slot, as mkimage made it; undefined when none is found. */
  file: { path: string; content: Buffer } | undefined;
}

/** The version of the boot script that belongs to this version of the programs. */
export const bootScriptVersion = 1;

/** U-Boot may read the script from a partition that is not mounted: then only the kernel's command line shows it. */
const places = ['/boot/boot.scr', '/boot/firmware/boot.scr', '/boot/efi/boot.scr'];
/** U-Boot's legacy image: a header of 64 bytes that begins with this number. */
const imageMagic = 0x27051956;
const headerBytes = 64;
const advice =
  'Put our boot script on the first partition; docs/recovery.md says what to do at the prompt of U-Boot';

export const bootScript: Check = {
  name: 'boot script',
  async run({ places: { root } }) {
    const commandLine = readTextIn(root, '/proc/cmdline') ?? '';
    for (const path of places) {
      const content = readBytesIn(root, path);
      if (content !== undefined) return judgeBootScript({ commandLine, file: { path, content } });
    }
    return judgeBootScript({ commandLine, file: undefined });
  },
};

export function judgeBootScript({ commandLine, file }: BootScriptFacts): Judgement {
  const version = /(?:^|\s)homie\.boot_script=(\d+)(?:\s|$)/.exec(commandLine)?.[1];
  if (version !== undefined)
    return worst(
      [
        judgeReport(/(?:^|\s)homie\.boot=(\w+)(?:\s|$)/.exec(commandLine)?.[1]),
        Number(version) === bootScriptVersion
          ? undefined
          : warn(
              `our boot script has booted this system, in version ${version} instead of ${bootScriptVersion}`,
              advice,
            ),
      ],
      ok(`our boot script has booted this system, in version ${version}`),
    );
  if (file === undefined) return warn('our boot script has not booted this system', advice);
  const { path, content } = file;
  if (content.length <= headerBytes || content.readUInt32BE(0) !== imageMagic)
    return bad(`"${path}" is no script that U-Boot runs`, advice);
  return content.includes('BOOT_ORDER', headerBytes)
    ? warn(`our boot script has not booted this system; "${path}" is another`, advice)
    : bad(`"${path}" does not read BOOT_ORDER: RAUC's choice of slot is never booted`, advice);
}

/** Judges what the script itself reports about this boot (`homie.boot=`). */
function judgeReport(report: string | undefined): Judgement | undefined {
  switch (report) {
    case 'unsaved':
      return bad(
        'it could not save the boot environment: attempts are not counted',
        'See the check of the boot environment',
      );
    case 'exhausted':
      return bad(
        'no slot had an attempt left: it boots the first that can be loaded, for ever',
        'Run update.sh why, and mark-good once all is well',
      );
    case 'refilled':
      return warn(
        'every slot had used up its attempts, and got new ones',
        'Run update.sh why: something keeps slots from being marked good',
      );
    case 'defaults':
      return warn(
        'it found no undamaged boot environment, and used its defaults',
        'Run update.sh doctor again after the next boot',
      );
    default:
      return undefined;
  }
}
