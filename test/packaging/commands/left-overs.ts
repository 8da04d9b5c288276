import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { command } from '../../../shared/system/process/command.ts';

/** Loop devices, mounts, processes and folders of embedded devices. */
export async function leftOvers() {
  const run = command({ deadlineMs: 10_000, accept: 'any' });
  const { stdout: loops } = await run`losetup --list --noheadings --output BACK-FILE`;
  const mounts = readFileSync('/proc/mounts', 'utf8');
  const isOurs = (line: string): boolean => line.includes('homie-device-');
  return {
    loops: loops.split('\n').filter(isOurs),
    mounts: mounts.split('\n').filter(isOurs),
    processes: commandLines().filter(isOurs),
    folders: readdirSync(tmpdir()).filter(isOurs),
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
