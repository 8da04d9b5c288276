import type { YamlProblem } from './checked-yaml.ts';
import type { storageKeys } from './storage-keys.ts';
import type { updateKeys } from './update-keys.ts';

/** What this version cannot use of a config, as one of a later version, or one that was edited, may contain it. */
export interface ConfigProblem {
  kind: 'unknown-key' | 'wrong-value';
  /** The name of the key; undefined: a whole section, or the whole file. */
  key: string | undefined;
  /** The config with its path, the line, the key, what was expected and found. */
  what: string;
}

type KeyName = keyof typeof updateKeys | keyof typeof storageKeys;

/**
 * Keys whose default may do harm where the device is told something else: an install at the wrong time, of a version that
 * is not wanted, without backup or migration of the real data. With a wrong value nothing is installed.
 */
const vitalKeys: readonly KeyName[] = [
  'version_floor',
  'allow_downgrade',
  'windows',
  'time_zone',
  'fleet_consent',
  'unit',
  'compose_file',
  'database_service',
  'redis_service',
  'migration_service',
  'migrate_in',
  'data_path',
  'config_path',
  'backup_path',
];
const windowKeys: readonly KeyName[] = ['windows', 'time_zone'];

export function configProblemOf({ way, kind, reason }: YamlProblem, path: string): ConfigProblem {
  const isSection = way.length < (way[0] === 'update' ? 2 : 3);
  return { kind, key: isSection ? undefined : way.at(-1), what: `the config "${path}": ${reason}` };
}

/** Whether nothing may be installed until it is corrected. */
export function isVital({ kind, key }: ConfigProblem): boolean {
  return kind === 'wrong-value' && (key === undefined || isOneOf(vitalKeys, key));
}

/** Whether it is unknown when updates may be installed. */
export function hidesWindows({ kind, key }: ConfigProblem): boolean {
  return kind === 'wrong-value' && (key === undefined || isOneOf(windowKeys, key));
}

function isOneOf(keys: readonly string[], key: string): boolean {
  return keys.includes(key);
}

/** The warning of a program that continues with it. */
export function wordsOfProblem({ kind, key, what }: ConfigProblem): string {
  const means = kind === 'unknown-key' ? 'ignoring it' : 'continuing with its default';
  return `Cannot use ${what}; ${key === undefined ? 'continuing with the defaults' : means}`;
}
