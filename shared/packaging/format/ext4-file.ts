import { command } from '../../system/process/command.ts';

const readMs = 60_000;

/** Reads a text file in an ext4 image, without mounting it. Returns "" if there is no such file: debugfs exits with 0 then. */
export async function readFileIn(image: string, path: string): Promise<string> {
  return (await command({ deadlineMs: readMs })`debugfs -R ${`cat ${path}`} ${image}`).stdout;
}
