import { existsSync } from 'node:fs';
import type { UpdateConfig } from '../../config/config.ts';
import { reasonOf } from '../../system/failure.ts';
import { pathInRoot } from '../../system/files/rooted-path.ts';
import type { Log } from '../../system/terminal/log.ts';
import { type Compose, findCompose } from '../compose.ts';
import type { HealthCheck } from './check.ts';
import { databaseCheck } from './database.ts';
import { findExecutableChecks } from './executables.ts';
import { httpCheck } from './http.ts';
import { redisCheck } from './redis.ts';
import { composeCheck } from './services.ts';
import type { FindStack } from './stack.ts';
import { unitCheck } from './unit.ts';

export interface FindChecksOptions {
  /** The root of the booted slot. */
  root: string;
  config: UpdateConfig;
  /** The last revisions of the new version's migrations; without them the schema is not checked. */
  schemaHeads?: readonly string[];
  log: Log;
  signal: AbortSignal;
}

/** All checks for this system, except those that the config disables. Warns about a disabled name that no check has. */
export async function findChecks(options: FindChecksOptions): Promise<HealthCheck[]> {
  const { root, config, log } = options;
  const own = [httpCheck(config.healthUrl), unitCheck(config.unit), ...(await findStackChecks(options))];
  const checks = [...own, ...findExecutableChecks(root, log)].map(withNameOfItsOwn);
  const known = new Set([...checks.map(({ name }) => name), ...builtIn]);
  for (const name of config.disabledChecks)
    if (!known.has(name))
      log.warn(`Cannot disable the check "${name}": it is unknown (known are: ${[...known].join(', ')})`);
  const left = checks.filter(({ name }) => !config.disabledChecks.includes(name));
  if (!left.some(({ isRequired }) => isRequired))
    log.warn('No required check is left: any state counts as healthy');
  return left;
}

const builtIn = ['http', 'unit', 'compose', 'database', 'redis'];

/** An unreadable compose file fails the checks, not the updater: it belongs to the new version, and counts in its verdict. */
async function findStackChecks(options: FindChecksOptions): Promise<HealthCheck[]> {
  const { root, config, schemaHeads, log, signal } = options;
  const file = pathInRoot(root, config.composeFile);
  if (!existsSync(file)) return [];
  const find = rememberingStack(file);
  const checks = [composeCheck(find)];
  const database = databaseCheck(find, config.databaseService, schemaHeads);
  const redis = redisCheck(find, config.redisService);
  try {
    const names = (await find(signal)).services().map(({ name }) => name);
    if (names.includes(config.databaseService)) checks.push(database);
    if (names.includes(config.redisService)) checks.push(redis);
    return checks;
  } catch (error) {
    signal.throwIfAborted();
    log.warn(reasonOf(error));
    return [...checks, database, redis];
  }
}

/** Calls compose until it has answered once: it takes seconds on a board, and the file does not change. */
function rememberingStack(file: string): FindStack {
  let found: Compose | undefined;
  return async (signal) => {
    found ??= await findCompose(file, signal);
    return found;
  };
}

/** An executable may have the name of another check; its result would replace the other's. */
function withNameOfItsOwn(check: HealthCheck, index: number, all: readonly HealthCheck[]): HealthCheck {
  const isTaken = all.slice(0, index).some(({ name }) => name === check.name);
  return isTaken ? { ...check, name: `${check.isRequired ? 'required' : 'wanted'}.d/${check.name}` } : check;
}
