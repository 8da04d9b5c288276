import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config/config.ts';
import type { Database } from '../../data/database/database.ts';
import type { Redis } from '../../data/redis/redis.ts';
import { type Compose, findCompose } from '../../stack/compose.ts';
import type { MigrationService } from '../../stack/migrations.ts';
import { Failure } from '../../system/failure.ts';
import { pathInRoot } from '../../system/files/rooted-path.ts';
import type { Device } from '../transaction/device.ts';

/** The stack of one slot, as its compose file describes it; a part is undefined when the file does not name its service. */
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

/**
 * The running stack with the migrations of the new version: their compose file is read from the mounted slot, which Docker
 * cannot see, and they run in the running project. Undefined when the running slot has no database, or the new slot no
 * migrations.
 */
export async function findNextStack(
  slotMount: string,
  { places, config, signal }: Device,
): Promise<Stack | undefined> {
  const now = await findStack(places.root, places.data, config, signal);
  const file = pathInRoot(slotMount, config.update.composeFile);
  if (now?.database === undefined || !existsSync(file)) return undefined;
  const containers = await findCompose(file, signal, now.compose);
  const service = config.update.migrationService;
  const isThere = containers.services().some(({ name }) => name === service);
  return isThere ? { ...now, migrations: { containers, service, signal } } : undefined;
}

/**
 * The stack without a signal, so that it can be put back even after this program was told to end. Throws a Failure when the
 * slot has no compose file.
 */
export async function requireStack(what: string, { places, config }: Device): Promise<Stack> {
  const stack = await findStack(places.root, places.data, config);
  if (stack !== undefined) return stack;
  throw new Failure(`Cannot ${what}: this slot has no compose file "${config.update.composeFile}"`);
}
