import { readFileSync } from 'node:fs';
import { normalize } from 'node:path';
import { Failure, isMissing, reasonOf } from '../system/failure.ts';
import { configFileOf, type Places } from '../system/places.ts';
import { type ConfigText, readConfigText } from './config-schema.ts';
import { type FleetConfig, fleetConfigOf, fleetKeys } from './fleet-keys.ts';
import { type ValuesOf, valuesOf } from './key.ts';
import { storageKeys } from './storage-keys.ts';
import { deviceKeys } from './update-keys.ts';

/** What the updater reads in `orchestrator.yaml`; durations in seconds, as in the file. */
export interface Config {
  /** What is backed up before an update. */
  configPath: string;
  backupPath: string;
  update: UpdateConfig;
}

/** Each key of `update-keys.ts` in camel case. */
export type UpdateConfig = ValuesOf<typeof deviceKeys> & {
  /** Undefined: the device belongs to no fleet. */
  fleet: FleetConfig | undefined;
};

/**
 * Reads the config; a missing file means the defaults. Throws a Failure that names file, line, key and what was
 * expected.
 */
export function readConfig(places: Places): Config {
  const path = configFileOf(places);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return defaultConfig(places);
    throw new Failure(`Cannot read the config "${path}": ${reasonOf(error)}`, { cause: error });
  }
  const config = configOf(readConfigText(text, path), places);
  const { configPath, backupPath } = config;
  if (`${normalize(backupPath)}/`.startsWith(`${normalize(configPath)}/`)) {
    const reason = `backup_path "${backupPath}" lies inside config_path "${configPath}", which is backed up`;
    throw new Failure(`Cannot use the config "${path}": ${reason}`, { outcome: 'usage' });
  }
  return config;
}

export function defaultConfig(places: Places): Config {
  return configOf({ storage: {}, update: {} }, places);
}

/** `data_path` moves the other two, and what lies on the data partition by default. */
function configOf({ storage, update }: ConfigText, places: Places): Config {
  const { dataPath } = valuesOf(storageKeys, storage, places);
  const there = { ...places, data: dataPath };
  const { configPath, backupPath } = valuesOf(storageKeys, storage, there);
  const fleet = fleetConfigOf(valuesOf(fleetKeys, update, there));
  return { configPath, backupPath, update: { ...valuesOf(deviceKeys, update, there), fleet } };
}
