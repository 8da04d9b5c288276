import { readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { Failure, isMissing, reasonOf } from '../system/failure.ts';
import { configFileOf, type Places } from '../system/places.ts';
import { readConfigText } from './config-schema.ts';
import { type FleetConfig, fleetConfigOf } from './fleet-schema.ts';
import type { UpdateWindow } from './schedule-schema.ts';

/** The settings that the updater reads from `orchestrator.yaml`; durations in seconds, as in the file. */
export interface Config {
  /** The folder that is backed up before an update. */
  configPath: string;
  backupPath: string;
  update: UpdateConfig;
}

export interface UpdateConfig {
  /** The orchestrator's systemd unit. */
  unit: string;
  /** The updater requests it from outside, as a client would: a 2xx answer is healthy. */
  healthUrl: string;
  /** The longest time from the start of the unit to its first healthy answer; then the trial is abandoned. */
  healthDeadlineSeconds: number;
  /** The longest time for the backup; the orchestrator is stopped meanwhile. */
  backupDeadlineSeconds: number;
  /** The minimum version: no older version is installed, regardless of the versions that ran here before. */
  versionFloor: string | undefined;
  allowDowngrade: boolean;
  /** When updates may be installed and rebooted into; an empty list means at any time. */
  windows: readonly UpdateWindow[];
  /** The time zone of the windows; undefined means the system's. */
  timeZone: string | undefined;
  /** `any-time`: installs outside a window too, so that only the reboot waits for it. */
  installAt: 'window' | 'any-time';
  /** `now`, `window`, `no` or `+N` minutes; undefined lets the windows decide. */
  reboot: string | undefined;
  /** Whether new slots have homie-update.timer enabled; undefined: as in the running slot. */
  timer: boolean | undefined;
  /** Receivers of each verdict as JSON: a program that reads it on its stdin, and a URL that gets it by POST. */
  verdictCommand: string | undefined;
  verdictWebhook: string | undefined;
  /** Space that must stay free on the data partition in addition to the backup. */
  reserveMiB: number;
  /** Path in the root of a slot; a slot without this file has no images and no migrations. */
  composeFile: string;
  databaseService: string;
  redisService: string;
  /** The service whose image carries alembic. */
  migrationService: string;
  /**
   * `trial`: in the new slot's first boot; `post-install`: in the old system, with the orchestrator stopped until the
   * reboot.
   */
  migrateIn: 'trial' | 'post-install';
  /** The longest time without progress; each sign of progress restarts it, up to the longest time in total. */
  migrationDeadlineSeconds: number;
  migrationLongestSeconds: number;
  pullDeadlineSeconds: number;
  /** How long a healthy system has to stay healthy before it counts as healthy. */
  settleSeconds: number;
  disabledChecks: readonly string[];
  keepBackups: number;
  backupBudgetMiB: number | undefined;
  /** Where the API listens: a loopback address with its port, or the path of a unix socket. */
  apiListen: string;
  /** The file of the bearer token that every changing request to the API needs. */
  apiTokenFile: string;
  /** The only folder from which the API installs. */
  bundleFolder: string;
  /** The URL of the newest bundle. */
  url: string;
  /** The certificates that the server's certificate is verified with, and our credentials for the server. */
  caFile: string | undefined;
  clientCertificateFile: string | undefined;
  clientKeyFile: string | undefined;
  tokenFile: string | undefined;
  basicAuthFile: string | undefined;
  limitRateKiB: number | undefined;
  /** The largest bundle that is fetched, regardless of the size that a server announces or sends. */
  largestBundleMiB: number;
  /** How long a server may send almost nothing. */
  stallSeconds: number;
  /** Failed tries in a row without progress before the fetch is abandoned until the next run. */
  fetchTries: number;
  /** Space that the images of a new version need in addition to the present ones; checked before the bundle is fetched. */
  imageAllowanceMiB: number;
  /** Undefined: the device belongs to no fleet. */
  fleet: FleetConfig | undefined;
}

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
  const { storage, update } = readConfigText(text, path);
  const defaults = defaultConfig({ ...places, data: storage.data_path ?? places.data });
  const configPath = storage.config_path ?? defaults.configPath;
  const backupPath = storage.backup_path ?? defaults.backupPath;
  if (`${normalize(backupPath)}/`.startsWith(`${normalize(configPath)}/`)) {
    const reason = `backup_path "${backupPath}" lies inside config_path "${configPath}", which is backed up`;
    throw new Failure(`Cannot use the config "${path}": ${reason}`, { outcome: 'usage' });
  }
  return {
    configPath,
    backupPath,
    update: {
      unit: update.unit ?? defaults.update.unit,
      healthUrl: update.health_url ?? defaults.update.healthUrl,
      healthDeadlineSeconds: update.health_deadline_seconds ?? defaults.update.healthDeadlineSeconds,
      backupDeadlineSeconds: update.backup_deadline_seconds ?? defaults.update.backupDeadlineSeconds,
      versionFloor: update.version_floor,
      allowDowngrade: update.allow_downgrade ?? defaults.update.allowDowngrade,
      windows: update.windows ?? defaults.update.windows,
      timeZone: update.time_zone,
      installAt: update.install_at ?? defaults.update.installAt,
      reboot: update.reboot,
      timer: update.timer,
      verdictCommand: update.verdict_command,
      verdictWebhook: update.verdict_webhook,
      reserveMiB: update.reserve_mib ?? defaults.update.reserveMiB,
      composeFile: update.compose_file ?? defaults.update.composeFile,
      databaseService: update.database_service ?? defaults.update.databaseService,
      redisService: update.redis_service ?? defaults.update.redisService,
      migrationService: update.migration_service ?? defaults.update.migrationService,
      migrateIn: update.migrate_in ?? defaults.update.migrateIn,
      migrationDeadlineSeconds: update.migration_deadline_seconds ?? defaults.update.migrationDeadlineSeconds,
      migrationLongestSeconds: update.migration_longest_seconds ?? defaults.update.migrationLongestSeconds,
      pullDeadlineSeconds: update.pull_deadline_seconds ?? defaults.update.pullDeadlineSeconds,
      settleSeconds: update.settle_seconds ?? defaults.update.settleSeconds,
      disabledChecks: update.disabled_checks ?? defaults.update.disabledChecks,
      keepBackups: update.keep_backups ?? defaults.update.keepBackups,
      backupBudgetMiB: update.backup_budget_mib,
      apiListen: update.api_listen ?? defaults.update.apiListen,
      apiTokenFile: update.api_token_file ?? defaults.update.apiTokenFile,
      bundleFolder: update.bundle_folder ?? defaults.update.bundleFolder,
      url: update.url ?? defaults.update.url,
      caFile: update.ca_file,
      clientCertificateFile: update.client_certificate_file,
      clientKeyFile: update.client_key_file,
      tokenFile: update.token_file,
      basicAuthFile: update.basic_auth_file,
      limitRateKiB: update.limit_rate_kib,
      largestBundleMiB: update.largest_bundle_mib ?? defaults.update.largestBundleMiB,
      stallSeconds: update.stall_seconds ?? defaults.update.stallSeconds,
      fetchTries: update.fetch_tries ?? defaults.update.fetchTries,
      imageAllowanceMiB: update.image_allowance_mib ?? defaults.update.imageAllowanceMiB,
      fleet: fleetConfigOf(update),
    },
  };
}

export function defaultConfig(places: Places): Config {
  return {
    configPath: join(places.data, 'config'),
    backupPath: join(places.data, 'backups'),
    update: {
      unit: 'homie-orchestrator',
      healthUrl: 'http://localhost:8080/health',
      healthDeadlineSeconds: 600,
      backupDeadlineSeconds: 900,
      versionFloor: undefined,
      allowDowngrade: false,
      windows: [],
      timeZone: undefined,
      installAt: 'window',
      reboot: undefined,
      timer: undefined,
      verdictCommand: undefined,
      verdictWebhook: undefined,
      reserveMiB: 64,
      composeFile: '/opt/homie_orchestrator/docker-compose.yml',
      databaseService: 'postgres',
      redisService: 'redis',
      migrationService: 'orchestrator',
      migrateIn: 'trial',
      migrationDeadlineSeconds: 600,
      migrationLongestSeconds: 7_200,
      pullDeadlineSeconds: 3_600,
      settleSeconds: 10,
      disabledChecks: [],
      keepBackups: 5,
      backupBudgetMiB: undefined,
      apiListen: '127.0.0.1:8081',
      apiTokenFile: join(places.data, 'update', 'api.token'),
      bundleFolder: join(places.data, 'bundles'),
      url: 'http://updates.homie.local/latest.raucb',
      caFile: undefined,
      clientCertificateFile: undefined,
      clientKeyFile: undefined,
      tokenFile: undefined,
      basicAuthFile: undefined,
      limitRateKiB: undefined,
      largestBundleMiB: 8_192,
      stallSeconds: 60,
      fetchTries: 12,
      imageAllowanceMiB: 256,
      fleet: undefined,
    },
  };
}
