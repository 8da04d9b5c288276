import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from '../data/database.ts';
import type { Redis } from '../data/redis.ts';
import { type Compose, findCompose } from '../stack/compose.ts';
import type { MigrationService } from '../stack/migrations.ts';
import type { Config } from '../system/config.ts';
import { pathInRoot } from '../system/rooted-path.ts';

/** The stack of one slot, as its compose file describes it; a part is there where the file names its service. */
export interface Stack {
  compose: Compose;
  database: Database | undefined;
  redis: Redis | undefined;
  migrations: MigrationService | undefined;
}

/** Undefined for a slot without a compose file: nothing to pull, nothing to migrate. */
export async function findStack(
  root: string,
  data: string,
  { update }: Config,
  signal?: AbortSignal,
): Promise<Stack | undefined> {
  const file = pathInRoot(root, update.composeFile);
  if (!existsSync(file)) return undefined;
  const compose = await findCompose(file, signal);
  const has = (name: string): boolean => compose.services().some((service) => service.name === name);
  const part = <T>(service: string, more: T) =>
    has(service) ? { containers: compose, service, signal, ...more } : undefined;
  return {
    compose,
    database: part(update.databaseService, {}),
    redis: part(update.redisService, { dataFolder: join(data, 'redis') }),
    migrations: part(update.migrationService, {}),
  };
}
