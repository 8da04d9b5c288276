import { readFileSync } from 'node:fs';
import { normalize } from 'node:path';
import { Failure, isMissing, reasonOf } from '../system/failure.ts';
import { configFileOf, type Places } from '../system/places.ts';
import { type ConfigProblem, configProblemOf, hidesWindows, isVital } from './config-problem.ts';
import { type ConfigText, readUsableConfigText } from './config-schema.ts';
import { type FleetConfig, fleetConfigOf, fleetKeys } from './fleet-keys.ts';
import { type ValuesOf, valuesOf } from './key.ts';
import { shutWindows } from './schedule-keys.ts';
import { storageKeys } from './storage-keys.ts';
import { deviceKeys } from './update-keys.ts';

/** What the updater reads in `orchestrator.yaml`; durations in seconds, as in the file. */
export interface Config {
  /** What is backed up before an update. */
  configPath: string;
  backupPath: string;
  update: UpdateConfig;
  /** What could not be used; the defaults stand in for it. */
  problems: readonly ConfigProblem[];
}

/** Each key of `update-keys.ts` in camel case. */
export type UpdateConfig = ValuesOf<typeof deviceKeys> & {
  /** Undefined: the device belongs to no fleet. */
  fleet: FleetConfig | undefined;
};

/**
 * Reads the config; a missing file means the defaults. Never throws, since boots need it too: a wrong value costs its key
 * alone, and the config names it among its problems. Windows that cannot be read are shut.
 */
export function readConfig(places: Places): Config {
  const path = configFileOf(places);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return defaultConfig(places);
    return withProblems(defaultConfig(places), [
      { kind: 'wrong-value', key: undefined, what: `the config "${path}": ${reasonOf(error)}` },
    ]);
  }
  const usable = readUsableConfigText(text, path);
  const problems = usable.problems.map((problem) => configProblemOf(problem, path));
  const config = configOf(usable.text, places);
  const { configPath, backupPath } = config;
  if (`${normalize(backupPath)}/`.startsWith(`${normalize(configPath)}/`)) {
    const reason = `backup_path "${backupPath}" lies inside config_path "${configPath}", which is backed up`;
    problems.push({ kind: 'wrong-value', key: 'backup_path', what: `the config "${path}": ${reason}` });
    const { config_path: _, backup_path: __, ...storage } = usable.text.storage;
    return withProblems(configOf({ ...usable.text, storage }, places), problems);
  }
  return withProblems(config, problems);
}

/** Throws a usage Failure where a value is wrong whose default an install could do harm with. */
export function requireInstallable({ problems }: Config): void {
  const vital = problems.find(isVital);
  if (vital === undefined) return;
  throw new Failure(`Cannot use ${vital.what}`, {
    outcome: 'usage',
    advice: 'Nothing is installed until that is corrected',
  });
}

/** The address of the bundle. Throws a usage Failure where it is wrong: the default one may be another's server. */
export function requireUrl({ problems, update }: Config): string {
  const wrong = problems.find(({ kind, key }) => kind === 'wrong-value' && key === 'url');
  if (wrong === undefined) return update.url;
  throw new Failure(`Cannot use ${wrong.what}`, { outcome: 'usage', advice: 'Correct it, or name a source' });
}

function withProblems(config: Config, problems: readonly ConfigProblem[]): Config {
  if (!problems.some(hidesWindows)) return { ...config, problems };
  return { ...config, problems, update: { ...config.update, windows: shutWindows } };
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
  return { configPath, backupPath, problems: [], update: { ...valuesOf(deviceKeys, update, there), fleet } };
}
