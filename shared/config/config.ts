import { readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { Failure, isMissing, reasonOf } from '../system/failure.ts';
import { configFileOf, type Places } from '../system/places.ts';
import { readConfigText } from './config-schema.ts';
import { type FleetConfig, fleetConfigOf } from './fleet-schema.ts';
import type { UpdateWindow } from './schedule-schema.ts';

/** What the updater wants to know of `orchestrator.yaml`; durations in seconds, as in the file. */
export interface Config {
  /** What is backed up before an update. */
  configPath: string;
  backupPath: string;
  update: UpdateConfig;
}

export interface UpdateConfig {
  /** The orchestrator's systemd unit. */
  unit: string;
  /** Asked from outside, as a client would: a 2xx answer is healthy. */
  healthUrl: string;
  /** From the start of the unit to its first healthy answer, before a trial is given up. */
  healthDeadlineSeconds: number;
  /** For the backup, while the orchestrator stands still. */
  backupDeadlineSeconds: number;
  /** No older version is installed, whatever ran here before. */
  versionFloor: string | undefined;
  allowDowngrade: boolean;
  /** When updates may be installed and rebooted into; none: at any time. */
  windows: readonly UpdateWindow[];
  /** Whose wall clock the windows are told by; undefined is the system's. */
  timeZone: string | undefined;
  /** Outside a window already, so that only the reboot waits for it. */
  installAt: 'window' | 'any-time';
  /** `now`, `window`, `no` or `+N` minutes; undefined lets the windows decide. */
  reboot: string | undefined;
  /** Whether new slots have homie-update.timer enabled; undefined: as the running one has. */
  timer: boolean | undefined;
  /** A program that gets each verdict as JSON on its stdin, and a URL that it is posted to. */
  verdictCommand: string | undefined;
  verdictWebhook: string | undefined;
  /** What has to stay free on the data partition beside the backup. */
  reserveMiB: number;
  /** In the root of a slot; where a slot has none, there are no images and no migrations. */
  composeFile: string;
  databaseService: string;
  redisService: string;
  /** The service whose image carries alembic. */
  migrationService: string;
  /** In the new slot's first boot, or already in the old system, which then stands still until the reboot. */
  migrateIn: 'trial' | 'post-install';
  /** Without progress; each sign of progress begins it anew, up to the longest. */
  migrationDeadlineSeconds: number;
  migrationLongestSeconds: number;
  pullDeadlineSeconds: number;
  /** How long a healthy system has to stay healthy before it is believed. */
  settleSeconds: number;
  disabledChecks: readonly string[];
  keepBackups: number;
  backupBudgetMiB: number | undefined;
  /** Where the API listens: a loopback address with its port, or the path of a unix socket. */
  apiListen: string;
  /** The bearer token for all that changes anything. */
  apiTokenFile: string;
  /** The only folder from which the API installs. */
  bundleFolder: string;
  /** Where the newest bundle lies. */
  url: string;
  /** Who vouches for the server, and what opens its door to us. */
  caFile: string | undefined;
  clientCertificateFile: string | undefined;
  clientKeyFile: string | undefined;
  tokenFile: string | undefined;
  basicAuthFile: string | undefined;
  limitRateKiB: number | undefined;
  /** Whatever a server says or sends, no more is fetched. */
  largestBundleMiB: number;
  /** How long a server may send next to nothing. */
  stallSeconds: number;
  /** In a row, with nothing gained, before the fetch is given up until the next run. */
  fetchTries: number;
  /** What the images of a new version need beside those that are here; asked for before the bundle is fetched. */
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
