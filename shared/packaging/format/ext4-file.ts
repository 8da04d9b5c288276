import { command } from '../../system/process/command.ts';

const readMs = 60_000;

/** Reads a text file in an ext4 image, without mounting it. Returns "" if there is no such file: debugfs exits with 0 then. */
export async function readFileIn(image: string, path: string): Promise<string> {
  return (await command({ deadlineMs: readMs })`debugfs -R ${`cat ${path}`} ${image}`).stdout;
}

/** The names in a folder of an ext4 image; none where there is no such folder. A link on the way is followed within the image. */
export async function namesIn(image: string, folder: string): Promise<string[]> {
  const { stdout } = await command({ deadlineMs: readMs })`debugfs -R ${`ls -p ${folder}`} ${image}`;
  // "/INODE/MODE/UID/GID/NAME/SIZE/"
  const names = stdout.split('\n').flatMap((line) => line.split('/')[5] ?? []);
  return names.filter((name) => !['', '.', '..'].includes(name));
}
