import { expect, test } from 'bun:test';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from '../../../shared/data/database/database.ts';
import { dumpDatabase } from '../../../shared/data/database/dump.ts';
import { restoreDatabase } from '../../../shared/data/database/restore.ts';
import { freeBytesOn } from '../../../shared/system/files/disk.ts';
import { waitFor } from '../../rig/stack/wait-for.ts';
import { failureOf } from '../../support/failure-of.ts';
import { bulk, contentOf, databaseNames, sql } from './database-content.ts';
import { quietLog, startStack } from './database-stack.ts';

const mib = 1024 * 1024;

/** It takes 24 MiB and more; PostgreSQL refuses, or even falls where its log of writes cannot grow. */
test('restoreDatabase() keeps the live database, and succeeds later, when the database has no room for another', async () => {
  await using running = await startStack({ dataMiB: 400 });
  const database: Database = { containers: running.quick, service: 'postgres' };
  const dump = join(running.backups, 'x.dump');
  const log = quietLog();
  await sql(database, bulk(100_000));
  await dumpDatabase({ ...database, target: dump });
  await sql(database, "INSERT INTO people (name) VALUES ('Grace Hopper')");
  const changed = await contentOf(database);
  const filling = join(running.dataFolder, 'filling');

  for (const freeMiB of [12, 3]) {
    // What the first one had no room to drop would make room for the second.
    await sql(database, 'DROP DATABASE IF EXISTS homie_restore WITH (FORCE)', 'template1');
    await sql(database, 'CHECKPOINT');
    writeFileSync(filling, Buffer.alloc(freeBytesOn(running.dataFolder) - freeMiB * mib));
    const failure = await failureOf(() => restoreDatabase({ ...database, dump, log }));
    expect([failure.outcome, failure.advice]).toEqual([
      'noSpace',
      'Free space on its volume and restore again: the live data is complete',
    ]);
    rmSync(filling);
    const live = await waitFor('the database', () => contentOf(database).catch(() => undefined));
    expect(live).toBe(changed);
  }

  const { dropped } = await restoreDatabase({ ...database, dump, log });

  expect(dropped).toEqual(['people: 1 row more']);
  expect(await databaseNames(database)).toEqual(['homie', 'postgres']);
}, 200_000);
