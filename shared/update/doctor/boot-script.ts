import { bad, type Check, type Judgement, ok, warn } from './finding.ts';
import { readBytesIn } from './text-file.ts';

/** The script by which U-Boot chooses the slot: one that counts attempts, and that this version knows. */

export interface BootScriptFacts {
  /** The file, as mkimage made it; undefined where none is found. */
  content: Buffer | undefined;
  path: string;
}

/** In a comment of the script: its version is raised whenever what it does changes. */
const marker = /homie boot script (\d+)/;
export const bootScriptVersion = 1;

const places = ['/boot/boot.scr', '/boot/firmware/boot.scr', '/boot/efi/boot.scr'];
/** U-Boot's legacy image: a header of 64 bytes that begins so. */
const imageMagic = 0x27051956;
const headerBytes = 64;
const advice = 'Install our boot script; see docs/recovery.md for what to do at the prompt of U-Boot';

export const bootScript: Check = {
  name: 'boot script',
  async run({ places: { root } }) {
    for (const path of places) {
      const content = readBytesIn(root, path);
      if (content !== undefined) return judgeBootScript({ content, path });
    }
    return judgeBootScript({ content: undefined, path: places[0] ?? '' });
  },
};

export function judgeBootScript({ content, path }: BootScriptFacts): Judgement {
  if (content === undefined)
    return warn(`there is no "${path}": nobody can tell how U-Boot chooses the slot`, advice);
  if (content.length <= headerBytes || content.readUInt32BE(0) !== imageMagic)
    return bad(`"${path}" is no script that U-Boot runs`, advice);
  const text = content.toString('latin1', headerBytes);
  if (!text.includes('BOOT_ORDER'))
    return bad(`"${path}" does not read BOOT_ORDER: RAUC's choice of slot is never booted`, advice);
  const version = marker.exec(text)?.[1];
  if (version === undefined) return warn(`"${path}" is not of ours`, advice);
  return Number(version) === bootScriptVersion
    ? ok(`"${path}" is ours, of version ${version}`)
    : warn(`"${path}" is ours, of version ${version}, where ${bootScriptVersion} belongs`, advice);
}
