import { readdirSync, readFileSync } from 'node:fs';
import { command } from '../../../shared/system/process/command.ts';

export const nothing = { loops: [], mounts: [], processes: [], folders: [] };

/** Loop devices, mounts, processes and folders of embedded devices that were made in this folder, as their TMPDIR. */
export async function leftOversIn(folder: string) {
  const run = command({ deadlineMs: 10_000, accept: 'any' });
  const { stdout: loops } = await run`losetup --list --noheadings --output BACK-FILE`;
  const mounts = readFileSync('/proc/mounts', 'utf8');
  const isOurs = (line: string): boolean => line.includes(`${folder}/homie-device-`);
  return {
    loops: loops.split('\n').filter(isOurs),
    mounts: mounts.split('\n').filter(isOurs),
    processes: commandLines().filter(isOurs),
    folders: readdirSync(folder).filter((name) => name.startsWith('homie-device-')),
  };
}

function commandLines(): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      return /^\d+$/.test(pid) ? [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')] : [];
    } catch {
      return []; // it has ended meanwhile
    }
  });
}
