import { existsSync, statSync } from 'node:fs';
import { command } from '../../system/process/command.ts';
import { isRoot } from './as-root.ts';

const chownMs = 60_000;

/**
 * Gives what root made in the folders to the owner of the clone. chown(1) follows no link, in the folders or in place of one:
 * the clone is another user's, and what lies behind its links is not.
 */
export async function giveToOwner(clone: string, folders: readonly string[]): Promise<void> {
  const { uid, gid } = statSync(clone);
  if (!isRoot() || uid === 0) return;
  const there = folders.filter((folder) => existsSync(folder));
  if (there.length === 0) return;
  const options = ['--recursive', '--no-dereference', '-P', '--from=0'];
  await command({ deadlineMs: chownMs })`chown ${options} ${`${uid}:${gid}`} -- ${there}`;
}
