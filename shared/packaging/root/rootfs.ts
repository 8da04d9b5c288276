import { cpSync, lstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolder } from '../../system/files/durable-file.ts';
import { command } from '../../system/process/command.ts';
import { epochSeconds } from '../bundle/manifest.ts';
import { project } from '../project.ts';
import { uuidFrom } from './image.ts';

/** Small: post-install's programs get their space when RAUC grows the file system to its slot (resize=true). */
const demoMiB = 16;
const toolDeadlineMs = 120_000;
/** Features that Linux 4.9 and U-Boot cannot read; newer versions of mkfs.ext4 enable them by default. */
const modernFeatures = '^metadata_csum_seed,^orphan_file';

/**
 * Makes a root file system to try bundles with: our overlay and the text file DEMO; it does not boot. Needs no root rights,
 * and gives the same bytes for the same overlay and time. `more`: the texts of further files, by path.
 */
export async function makeDemoRootfs(
  image: string,
  version: string,
  time: Date,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  makeFolder(project.cache);
  const tree = mkdtempSync(join(project.cache, 'rootfs-'));
  try {
    cpSync(join(project.skeleton, 'rootfs'), tree, { recursive: true });
    writeFileSync(join(tree, 'DEMO'), `A demo root file system, version ${version}. It does not boot.\n`);
    for (const [path, text] of Object.entries(more)) {
      makeFolder(dirname(join(tree, path)));
      writeFileSync(join(tree, path), text);
    }
    rmSync(image, { force: true });
    await makeFileSystem(tree, image, version, time);
    await setEveryInode(tree, image, time);
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

async function makeFileSystem(tree: string, image: string, version: string, time: Date): Promise<void> {
  const id = uuidFrom(`homie demo root ${version}`);
  const run = command({ deadlineMs: toolDeadlineMs, env: fakeTime(time) });
  const extended = `root_owner=0:0,hash_seed=${id},lazy_itable_init=0,lazy_journal_init=0`;
  await run`mkfs.ext4 -q -F -L rootfs -U ${id} -O ${modernFeatures} -E ${extended} -d ${tree} ${image} ${`${demoMiB}M`}`;
}

/** mkfs copies owners and change times from the build user's files, and a build without root cannot change those. */
async function setEveryInode(tree: string, image: string, time: Date): Promise<void> {
  const stamp = `@${epochSeconds(time)}`;
  const lines = ['/', '/lost+found', ...pathsBelow(tree, '')].flatMap((path) => [
    ...['uid', 'gid'].map((field) => `set_inode_field ${path} ${field} 0`),
    ...['atime', 'ctime', 'mtime', 'crtime'].map((field) => `set_inode_field ${path} ${field} ${stamp}`),
  ]);
  const script = `${tree}.debugfs`;
  writeFileSync(script, `${lines.join('\n')}\n`);
  try {
    await command({ deadlineMs: toolDeadlineMs, env: fakeTime(time) })`debugfs -w -f ${script} ${image}`;
  } finally {
    rmSync(script, { force: true });
  }
}

/** The paths of our own overlay: none holds a blank, which debugfs would not take. */
function pathsBelow(tree: string, path: string): string[] {
  return readdirSync(join(tree, path))
    .sort()
    .flatMap((name) => {
      const inner = `${path}/${name}`;
      return lstatSync(join(tree, inner)).isDirectory() ? [inner, ...pathsBelow(tree, inner)] : [inner];
    });
}

/** libext2fs uses this variable in place of the clock. */
function fakeTime(time: Date): Record<string, string> {
  return { E2FSPROGS_FAKE_TIME: String(epochSeconds(time)) };
}
