import { dumpFile } from '../../data/backups/backup.ts';
import { dumpDatabase } from '../../data/database/dump.ts';
import { saveRedis } from '../../data/redis/redis.ts';
import type { DataWork } from './data-work.ts';

const stopMs = 120_000;

/** Saves redis and dumps the database. Keeps the dump of an earlier boot of this trial: nothing has run since. */
export async function dumpOnce({ record, stack, config, running }: DataWork): Promise<void> {
  const { from, to, dump } = record.transaction;
  const { database, redis } = stack;
  if (dump !== undefined || database === undefined) return;
  const now = new Date();
  const fileOf = (kind: 'dump' | 'rdb'): string =>
    dumpFile(config.backupPath, from.version ?? undefined, to.version ?? 'unknown', now, kind);
  if (redis !== undefined) {
    await stack.compose.up([redis.service], { noDeps: true });
    const saved = await running.log.step('Saving', 'Saved', `"${redis.service}"`, () =>
      saveRedis({ ...redis, target: fileOf('rdb') }),
    );
    await stack.compose.stop([redis.service], { deadlineMs: stopMs });
    record.note({ redis: { path: saved.path, sha256: saved.sha256, file: saved.file } });
  }
  const taken = await running.log.step('Dumping', 'Dumped', `the database of "${database.service}"`, () =>
    dumpDatabase({ ...database, target: fileOf('dump') }),
  );
  record.note({ dump: { path: taken.path, sha256: taken.sha256, rows: taken.rows } });
}
