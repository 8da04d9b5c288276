import { describe, expect, test } from 'bun:test';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, readConfig, requireInstallable } from '../../shared/config/config.ts';
import { wordsOfProblem } from '../../shared/config/config-problem.ts';
import { readConfigText } from '../../shared/config/config-schema.ts';
import { shutWindows } from '../../shared/config/schedule-keys.ts';
import { Failure } from '../../shared/system/failure.ts';
import type { Places } from '../../shared/system/places.ts';
import { windowAt } from '../../shared/update/schedule/schedule.ts';
import { TempFolder } from '../support/temp-folder.ts';
import { wrongConfigs } from './wrong-configs.ts';

const name = 'config/orchestrator.yaml';

function placesIn(folder: TempFolder): Places {
  return { data: folder.path, root: '/', run: '/run/homie' };
}

function read(text: string) {
  using folder = new TempFolder();
  folder.write(name, text);
  return readConfig(placesIn(folder));
}

const guide = `orchestrator:
  storage:
    data_path: "/data"
    config_path: "/data/config"
    backup_path: "/data/backups"

services:
  postgres:
    volumes:
      - "/data/postgres:/var/lib/postgresql/data"

  redis:
    volumes:
      - "/data/redis:/data"

  homie_core:
    volumes:
      - "/data/config/core:/config"
      - "/data/core:/data"
`;

/** What a device does that is told nothing: written down here, for a changed default is another device. */
function defaultsBelow(data: string): Config {
  return {
    configPath: join(data, 'config'),
    backupPath: join(data, 'backups'),
    problems: [],
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
      apiTokenFile: join(data, 'update', 'api.token'),
      bundleFolder: join(data, 'bundles'),
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

describe('readConfig()', () => {
  test('takes the file of the integration guide', () => {
    expect(read(guide)).toEqual(defaultsBelow('/data'));
  });

  test('is the defaults when there is no file, and no folder', () => {
    using folder = new TempFolder();
    expect(readConfig(placesIn(folder))).toEqual(defaultsBelow(folder.path));
  });

  test.each([
    ['is empty', ''],
    ['is all comments', '# nothing\n'],
    [
      'has sections whose lines are all comments',
      'orchestrator:\n  storage:\n    # data_path: /x\nupdate:\n  # unit: x\n',
    ],
    ['has sections that are empty', 'orchestrator: {}\nupdate: {}\n'],
    ['has keys of others', 'version: "3"\nservices: []\norchestrator: { name: x, storage: { cache: 5 } }\n'],
    ['has keys that are no texts', '? [a, b]\n: c\n7: d\n'],
  ])('is the defaults, without a word, when the file %s', async (_what, text) => {
    using folder = new TempFolder();
    folder.write(name, text);
    const warnings: Error[] = [];
    const onWarning = (warning: Error): number => warnings.push(warning);
    process.on('warning', onWarning);
    try {
      expect(readConfig(placesIn(folder))).toEqual(defaultsBelow(folder.path));
      await Bun.sleep(0);
      expect(warnings).toEqual([]);
    } finally {
      process.off('warning', onWarning);
    }
  });

  test('takes every key', () => {
    const config = read(`orchestrator:
  storage: { data_path: /mnt/a, config_path: /mnt/b, backup_path: "/mnt/c d" }
update:
  unit: homie@1.service
  health_url: https://localhost:8443/health?full=1
  health_deadline_seconds: 7200
  backup_deadline_seconds: 1
  version_floor: "1.2.0-rc.1+7"
  allow_downgrade: true
  windows: [{ days: [sat, sun], from: "22:00", to: "04:30" }, { from: "00:00", to: "24:00" }]
  time_zone: Europe/Berlin
  install_at: any-time
  reboot: "+5"
  timer: true
  verdict_command: /usr/local/bin/tell
  verdict_webhook: https://example.org/verdicts
  reserve_mib: 0
  compose_file: /opt/homie/compose.yaml
  database_service: db
  redis_service: cache
  migration_service: core
  migrate_in: post-install
  migration_deadline_seconds: 60
  migration_longest_seconds: 21600
  pull_deadline_seconds: 120
  settle_seconds: 1
  disabled_checks: [redis]
  keep_backups: 1
  backup_budget_mib: 512
  api_listen: /run/homie/api.sock
  api_token_file: /data/secret/token
  bundle_folder: /data/usb
  url: https://updates.example/homie.raucb?board=nano
  ca_file: /etc/homie/ca.pem
  client_certificate_file: /etc/homie/client.pem
  client_key_file: /etc/homie/client.key
  token_file: /etc/homie/token
  basic_auth_file: /etc/homie/basic
  limit_rate_kib: 500
  largest_bundle_mib: 2048
  stall_seconds: 5
  fetch_tries: 3
  image_allowance_mib: 0
`);

    expect(config).toEqual({
      configPath: '/mnt/b',
      backupPath: '/mnt/c d',
      problems: [],
      update: {
        unit: 'homie@1.service',
        healthUrl: 'https://localhost:8443/health?full=1',
        healthDeadlineSeconds: 7_200,
        backupDeadlineSeconds: 1,
        versionFloor: '1.2.0-rc.1+7',
        allowDowngrade: true,
        windows: [
          { days: ['sat', 'sun'], from: 22 * 60, to: 270 },
          { days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: 0, to: 1440 },
        ],
        timeZone: 'Europe/Berlin',
        installAt: 'any-time',
        reboot: '+5',
        timer: true,
        verdictCommand: '/usr/local/bin/tell',
        verdictWebhook: 'https://example.org/verdicts',
        reserveMiB: 0,
        composeFile: '/opt/homie/compose.yaml',
        databaseService: 'db',
        redisService: 'cache',
        migrationService: 'core',
        migrateIn: 'post-install',
        migrationDeadlineSeconds: 60,
        migrationLongestSeconds: 21_600,
        pullDeadlineSeconds: 120,
        settleSeconds: 1,
        disabledChecks: ['redis'],
        keepBackups: 1,
        backupBudgetMiB: 512,
        apiListen: '/run/homie/api.sock',
        apiTokenFile: '/data/secret/token',
        bundleFolder: '/data/usb',
        url: 'https://updates.example/homie.raucb?board=nano',
        caFile: '/etc/homie/ca.pem',
        clientCertificateFile: '/etc/homie/client.pem',
        clientKeyFile: '/etc/homie/client.key',
        tokenFile: '/etc/homie/token',
        basicAuthFile: '/etc/homie/basic',
        limitRateKiB: 500,
        largestBundleMiB: 2_048,
        stallSeconds: 5,
        fetchTries: 3,
        imageAllowanceMiB: 0,
        fleet: undefined,
      },
    });
  });

  test('looks for config and backups below data_path when only that is given', () => {
    expect(read('orchestrator:\n  storage:\n    data_path: /mnt/x\n')).toMatchObject({
      configPath: '/mnt/x/config',
      backupPath: '/mnt/x/backups',
    });
  });

  test.each(wrongConfigs)(
    'names file, line, key, and what it expected and found when %s',
    (_what, text, reason) => {
      using folder = new TempFolder();
      const path = folder.write(name, text);

      const { problems } = readConfig(placesIn(folder));

      expect(problems.map(({ what }) => what)).toEqual([`the config "${path}": ${reason}`]);
    },
  );

  test('names the file when it cannot be read, installs nothing then, and continues with the defaults', () => {
    using folder = new TempFolder();
    mkdirSync(folder.at(name), { recursive: true });

    const config = readConfig(placesIn(folder));

    expect(config.problems.map(wordsOfProblem)).toEqual([
      `Cannot use the config "${folder.at(name)}": it is a folder; continuing with the defaults`,
    ]);
    const defaults = defaultsBelow(folder.path);
    expect(config).toEqual({
      ...defaults,
      problems: config.problems,
      update: { ...defaults.update, windows: shutWindows },
    });
    expect(() => requireInstallable(config)).toThrow(Failure);
  });

  test('names every problem, and keeps all keys that it can use', () => {
    const config = read(`orchestrator:
  storage: { data_path: /mnt/a, cache: 5 }
update:
  rehearse: auto
  health_url: http://localhost:9/health
  settle_seconds: soon
  keep_backups: 7
`);
    expect(config.problems.map(({ kind, key }) => [kind, key])).toEqual([
      ['wrong-value', 'settle_seconds'],
      ['unknown-key', 'rehearse'],
    ]);
    expect(config.configPath).toBe('/mnt/a/config');
    expect(config.update).toMatchObject({
      healthUrl: 'http://localhost:9/health',
      settleSeconds: 10,
      keepBackups: 7,
      windows: [],
    });
    expect(() => requireInstallable(config)).not.toThrow();
  });

  test.each([
    'update: 5',
    'update:\n  windows: 5\n  time_zone: Europe/Berlin\n',
    'update:\n  windows: [{ from: "02:00", to: "04:00", months: [jan] }]\n',
    'update:\n  windows: [{ from: "02:00", to: "04:00" }]\n  time_zone: Mars/Base\n',
    'update: [\n',
  ])('shuts the windows when they cannot be read: %s', (text) => {
    const config = read(text);
    expect(windowAt(config, new Date('2026-01-02T03:04:05Z'))).toMatchObject({
      kind: 'outside',
      opens: undefined,
    });
    expect(() => requireInstallable(config)).toThrow(/^Cannot use the config /);
  });

  test.each([
    ['unit: a b', true],
    ['compose_file: x', true],
    ['database_service: a b', true],
    ['migrate_in: later', true],
    ['version_floor: 1', true],
    ['allow_downgrade: maybe', true],
    ['fleet_consent: voice', true],
    ['health_url: x', false],
    ['limit_rate_kib: fast', false],
    ['unheard_of: 1', false],
  ])('forbids to install when the value is one that does harm: %s (%p)', (line, isForbidden) => {
    const check = expect(() => requireInstallable(read(`update:\n  ${line}\n`)));
    if (isForbidden) check.toThrow(/^Cannot use the config /);
    else check.not.toThrow();
  });
});

describe('readConfigText()', () => {
  test('is strict: it throws at the first problem', () => {
    expect(() => readConfigText('update:\n  helth_url: x\n', '/x')).toThrow(
      'Cannot use the config "/x": line 2, key update.helth_url is not known (the nearest known key is "health_url")',
    );
  });
});
