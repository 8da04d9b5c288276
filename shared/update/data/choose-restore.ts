import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import {
  findBackups,
  kindOfBackup,
  type SavedBackup,
  type SavedKind,
} from '../../data/backups/saved-backups.ts';
import { Failure } from '../../system/failure.ts';

export interface Chosen {
  kind: SavedKind;
  path: string;
}

export interface Wish {
  /** A path, or a file name in the backup folder; undefined chooses the newest. */
  archive: string | undefined;
  isConfigOnly: boolean;
  isDatabaseOnly: boolean;
  /** The running version; undefined when unknown. */
  version: string | undefined;
}

/**
 * Chooses what to restore: the named backup, else the newest config and the newest dump. Throws a Failure when there is none.
 */
export function chooseRestore(wish: Wish, folder: string): Chosen[] {
  const { archive, isConfigOnly, isDatabaseOnly } = wish;
  if (isConfigOnly && isDatabaseOnly)
    throw usage('Cannot restore with --config-only and --database-only: they exclude each other');
  if (archive !== undefined) return [chooseNamed(archive, wish, folder)];
  const backups = findBackups(folder);
  const newest = (kind: SavedKind): SavedBackup[] =>
    backups.filter((backup) => backup.kind === kind).slice(0, 1);
  const database = isConfigOnly ? [] : newest('database');
  refuseOfOther(database, wish.version);
  const chosen = [...(isDatabaseOnly ? [] : newest('config')), ...database, ...database.flatMap(twinOf)];
  if (chosen.length > 0) return chosen.map(({ kind, path }) => ({ kind, path }));
  throw usage(`Cannot restore: there is no such backup in "${folder}"`);
}

/**
 * Refuses a dump from before a migration when another version than the dump's own runs: that version knows another schema, and
 * would not work with the dump.
 */
function refuseOfOther([dump]: readonly SavedBackup[], version: string | undefined): void {
  if (dump?.occasion !== 'pre-migrate' || version === undefined || dump.from === version) return;
  throw new Failure(
    `Cannot restore the database: the newest dump is of version "${dump.from}", before it was migrated, and "${version}" runs`,
    {
      outcome: 'tryLater',
      advice: `Go back to that version first (update.sh rollback), or name the dump: ${basename(dump.path)}`,
    },
  );
}

function chooseNamed(archive: string, { isConfigOnly, isDatabaseOnly }: Wish, folder: string): Chosen {
  const inFolder = join(folder, archive);
  const path = !archive.includes('/') && existsSync(inFolder) ? inFolder : resolve(archive);
  const kind = kindOfBackup(path);
  if (kind === undefined)
    throw usage(`Cannot restore from "${archive}": its name ends neither in .tar.zst, .dump nor .rdb`);
  if (!existsSync(path)) throw usage(`Cannot restore from "${archive}": no such file`);
  if (isConfigOnly && kind !== 'config')
    throw usage(`Cannot restore from "${archive}": it is no backup of the config`);
  if (isDatabaseOnly && kind === 'config')
    throw usage(`Cannot restore from "${archive}": it is no backup of the database`);
  return { kind, path };
}

/** The redis file that was saved together with the dump, under the same name. */
function twinOf({ path }: Chosen): Chosen[] {
  const twin = path.replace(/\.dump$/, '.rdb');
  return existsSync(twin) ? [{ kind: 'redis', path: twin }] : [];
}

function usage(message: string): Failure {
  return new Failure(message, { outcome: 'usage', advice: 'See update.sh restore --list' });
}
