import { join } from 'node:path';
import * as v from 'valibot';
import { fleetKeys } from './fleet-keys.ts';
import { key } from './key.ts';
import { notificationKeys } from './notification-keys.ts';
import { scheduleKeys } from './schedule-keys.ts';
import {
  absolutePath,
  bundleUrl,
  httpUrl,
  listenAddress,
  mebibytes,
  secondsUpTo,
  serviceName,
  trueOrFalse,
  unitName,
  version,
  wholeNumberFrom,
} from './values.ts';

/**
 * Every key of `update:` in `orchestrator.yaml`, in the order of an update. The schema, the defaults, what programs read,
 * and docs/configuration.md are made from this table.
 */

const source = {
  url: key(
    'the bundle that `update.sh` downloads by default',
    bundleUrl,
    'http://updates.homie.local/latest.raucb',
  ),
  ca_file: key('CA certificates for the server, in place of the usual ones', absolutePath),
  client_certificate_file: key('for mTLS, with its key; both or none', absolutePath),
  client_key_file: key('no passphrase; `chmod 600`, as token and basic auth', absolutePath),
  token_file: key('sent as a bearer token', absolutePath),
  basic_auth_file: key('in place of a token: one line, `user:password`', absolutePath),
  limit_rate_kib: key('KiB a second; as fast as it goes by default', wholeNumberFrom(1)),
  largest_bundle_mib: key('a larger bundle is never downloaded', wholeNumberFrom(1), 8_192),
  stall_seconds: key('how long a server may send less than 1 KiB/s', secondsUpTo(3_600), 60),
  fetch_tries: key(
    'attempts in a row without progress; what is downloaded so far is kept for the next run',
    wholeNumberFrom(1),
    12,
  ),
  image_allowance_mib: key('free space to keep for new Docker images', wholeNumberFrom(0), 256),
};

const admission = {
  version_floor: key('the minimum version: an older one is never installed', version),
  allow_downgrade: key(
    'whether a version older than the running or the committed one may be installed',
    trueOrFalse,
    false,
  ),
  ...scheduleKeys,
};

const backup = {
  backup_deadline_seconds: key('how long the orchestrator may be stopped for it', secondsUpTo(86_400), 900),
  keep_backups: key('the newest ones, kept after a commit', wholeNumberFrom(1), 5),
  backup_budget_mib: key('where all backups need more, the oldest are deleted', wholeNumberFrom(1)),
  reserve_mib: key('free space to keep on the data partition beside the backup', mebibytes, 64),
};

const stack = {
  unit: key("the orchestrator's systemd unit", unitName, 'homie-orchestrator'),
  compose_file: key(
    'in each slot; without it there are no images and no migrations',
    absolutePath,
    '/opt/homie_orchestrator/docker-compose.yml',
  ),
  database_service: key('where PostgreSQL runs', serviceName, 'postgres'),
  redis_service: key('where redis runs', serviceName, 'redis'),
  migration_service: key('its image carries alembic', serviceName, 'orchestrator'),
  migrate_in: key(
    '`post-install`: before the reboot, the orchestrator stopped until then',
    v.picklist(['trial', 'post-install'], 'trial or post-install'),
    'trial',
  ),
  migration_deadline_seconds: key(
    'limit without progress; any progress restarts it',
    secondsUpTo(6 * 3_600),
    600,
  ),
  migration_longest_seconds: key('limit in all, with progress too', secondsUpTo(6 * 3_600), 7_200),
  pull_deadline_seconds: key('for the images of the new version', secondsUpTo(86_400), 3_600),
};

const verdict = {
  health_url: key(
    'asked from outside, as a client would; any 2xx answer is healthy',
    httpUrl,
    'http://localhost:8080/health',
  ),
  health_deadline_seconds: key(
    'how long a trial waits for the first healthy answer',
    secondsUpTo(2 * 3_600),
    600,
  ),
  settle_seconds: key('how long it has to stay healthy before it is believed', secondsUpTo(3_600), 10),
  disabled_checks: key(
    'names of health checks that are not asked',
    v.array(v.string('the name of a check'), 'a list of names of checks'),
    [],
  ),
  ...notificationKeys,
};

const api = {
  api_listen: key(
    'only this device; or a socket, like `/run/homie/api.sock`; read at the start',
    listenAddress,
    '127.0.0.1:8081',
  ),
  api_token_file: key(
    'made at the first start; its owner may install and roll back',
    absolutePath,
    ({ data }) => join(data, 'update', 'api.token'),
  ),
  bundle_folder: key('the only folder from which the API installs', absolutePath, ({ data }) =>
    join(data, 'bundles'),
  ),
};

/** All but those of the fleet, which programs read as one. */
export const deviceKeys = { ...source, ...admission, ...backup, ...stack, ...verdict, ...api };

export const updateKeys = { ...deviceKeys, ...fleetKeys };

/** The same under the headings of docs/configuration.md. */
export const updateSections = [
  ['where updates come from', source],
  ['the fleet', fleetKeys],
  ['what may be installed, and when', admission],
  ['the backup', backup],
  ['the stack', stack],
  ['the verdict', verdict],
  ['the API on this device', api],
] as const;
