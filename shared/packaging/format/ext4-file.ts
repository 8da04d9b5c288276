import { command } from '../../system/process/command.ts';

const readMs = 60_000;

/** A text file in an ext4 image, without mounting it. Empty where there is none: debugfs says so, and ends well. */
export async function readFileIn(image: string, path: string): Promise<string> {
  return (await command({ deadlineMs: readMs })`debugfs -R ${`cat ${path}`} ${image}`).stdout;
}
