import { existsSync, lstatSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { leftoverName } from '../../data/backups/retention.ts';
import { askDatabase, readDatabaseName } from '../../data/database/database.ts';
import { namesFor } from '../../data/database/database-facts.ts';
import { dropFresh, dropReplaced } from '../../data/database/restore-steps.ts';
import { isMissing, reasonOf } from '../../system/failure.ts';
import { formatBytes, treeBytes } from '../../system/files/disk.ts';
import { downloadFolderOf, updateFolderOf } from '../../system/places.ts';
import { Download } from '../../transfer/download/download.ts';
import { findStack } from '../data/stack.ts';
import { runningServices } from '../data/stack-control.ts';
import type { Device } from '../transaction/device.ts';
import type { Damage } from './damage.ts';

/** The folder for unpacking a backup of the config: on the same file system as the config, so that a rename can swap them. */
export function unpackFolderOf(configFolder: string): string {
  return `${configFolder}.restore`;
}

/** Files that a killed run has left; they only waste space. While we hold the lock, no other program writes such files. */
export function findLeftFiles({ places, config }: Device): Damage | undefined {
  const unpacked = unpackFolderOf(resolve(config.configPath));
  const leftDownload = new Download(downloadFolderOf(places)).leftover;
  const paths = [
    ...filesIn(config.backupPath, (name) => leftoverName.test(name)),
    ...filesIn(updateFolderOf(places), (name) => name.endsWith('.part')),
    ...(leftDownload === undefined ? [] : [leftDownload]),
    ...(existsSync(unpacked) ? [unpacked] : []),
  ];
  if (paths.length === 0) return undefined;
  const bytes = paths.reduce((sum, path) => sum + lstatSync(path).size + treeBytes(path), 0);
  return {
    kind: 'leftovers',
    wrong: `an interrupted run has left ${paths.map((path) => `"${path}"`).join(', ')} (${formatBytes(bytes)})`,
    remedy: 'removes them',
    mend: async () => {
      for (const path of paths) rmSync(path, { recursive: true, force: true });
    },
  };
}

/** Databases that an interrupted restore has left. Undefined where the database does not run: it is not started for this. */
export async function findLeftDatabases({
  places,
  config,
  log,
  signal,
}: Device): Promise<Damage | undefined> {
  try {
    const stack = await findStack(places.root, places.data, config, signal);
    const { database } = stack ?? {};
    if (stack === undefined || database === undefined) return undefined;
    if (!(await runningServices(stack)).includes(database.service)) {
      log.info(`"${database.service}" does not run: it is not checked`);
      return undefined;
    }
    const names = namesFor(await readDatabaseName(database));
    const variables = { live: names.live, fresh: names.fresh, replaced: names.replaced };
    const found = await askDatabase(database, { script: leftScript, variables });
    if (found.length === 0) return undefined;
    return {
      kind: 'database',
      wrong: `an interrupted restore has left ${found.map((name) => `the database "${name}"`).join(' and ')}`,
      remedy: `drops ${found.length === 1 ? 'it' : 'them'}; "${names.live}" stays as it is`,
      mend: async () => {
        if (found.includes(names.fresh)) await dropFresh(database, names);
        if (found.includes(names.replaced)) await dropReplaced(database, names);
      },
    };
  } catch (error) {
    signal.throwIfAborted();
    log.warn(`Cannot check the database: ${reasonOf(error)}`);
    return undefined;
  }
}

/** The replaced database is the only copy until the new one has the live name: only then is it left over. */
const leftScript = `SELECT datname FROM pg_database
  WHERE datname = :'fresh' OR datname = :'replaced'
    AND EXISTS (SELECT FROM pg_database WHERE datname = :'live' AND datconnlimit <> -2)
  ORDER BY datname;
`;

function filesIn(folder: string, isOurs: (name: string) => boolean): string[] {
  try {
    const names = readdirSync(folder, { withFileTypes: true });
    return names
      .filter((entry) => entry.isFile() && isOurs(entry.name))
      .map(({ name }) => join(folder, name));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
