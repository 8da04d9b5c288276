import * as v from 'valibot';
import { notList, readCheckedYaml } from './checked-yaml.ts';
import { fleetEntries } from './fleet-schema.ts';
import { scheduleEntries, windowSchema } from './schedule-schema.ts';
import { verdictEntries } from './verdict-schema.ts';

const absolutePath = v.pipe(v.string(), v.regex(/^\//, 'a path from the root, like /data/config'));
const secondsUpTo = (most: number) =>
  v.pipe(
    v.number(`a number of seconds from 1 to ${most}`),
    v.integer(`a whole number of seconds from 1 to ${most}`),
    v.minValue(1, `a number of seconds from 1 to ${most}`),
    v.maxValue(most, `a number of seconds from 1 to ${most}`),
  );

const serviceName = v.pipe(v.string(), v.regex(/^[\w.-]+$/, 'the name of a service in the compose file'));
const wholeNumberFrom = (least: number) =>
  v.pipe(
    v.number(`a whole number from ${least}`),
    v.integer(`a whole number from ${least}`),
    v.minValue(least, `a whole number from ${least}`),
  );

const storageSchema = v.looseObject({
  data_path: v.optional(absolutePath),
  config_path: v.optional(absolutePath),
  backup_path: v.optional(absolutePath),
});

/** This section belongs to the updater alone, hence strict: a misspelt key would silently mean the default. */
const updateSchema = v.strictObject({
  unit: v.optional(v.pipe(v.string(), v.regex(/^[\w@.:-]+$/, 'the name of a systemd unit'))),
  health_url: v.optional(
    v.pipe(v.string(), v.regex(/^https?:\/\/\S+$/, 'a URL that begins with http:// or https://')),
  ),
  health_deadline_seconds: v.optional(secondsUpTo(2 * 3_600)),
  backup_deadline_seconds: v.optional(secondsUpTo(86_400)),
  version_floor: v.optional(
    v.pipe(
      v.string('a version in quotes, like "1.2.0"'),
      v.regex(/^\d+\.\d+\.\d+(?:[-+][\w.+-]+)?$/, 'a version like "1.2.0"'),
    ),
  ),
  allow_downgrade: v.optional(v.boolean('true or false')),
  ...scheduleEntries,
  ...verdictEntries,
  compose_file: v.optional(absolutePath),
  database_service: v.optional(serviceName),
  redis_service: v.optional(serviceName),
  migration_service: v.optional(serviceName),
  migrate_in: v.optional(v.picklist(['trial', 'post-install'], 'trial or post-install')),
  migration_deadline_seconds: v.optional(secondsUpTo(6 * 3_600)),
  migration_longest_seconds: v.optional(secondsUpTo(6 * 3_600)),
  pull_deadline_seconds: v.optional(secondsUpTo(86_400)),
  settle_seconds: v.optional(secondsUpTo(3_600)),
  disabled_checks: v.optional(v.array(v.string('the name of a check'), 'a list of names of checks')),
  keep_backups: v.optional(wholeNumberFrom(1)),
  backup_budget_mib: v.optional(wholeNumberFrom(1)),
  api_listen: v.optional(
    v.pipe(
      v.string(),
      v.regex(
        /^(?:(?:127\.0\.0\.1|\[::1\]):\d{1,5}|\/.+)$/,
        'an address of this device like "127.0.0.1:8081", or the path of a socket',
      ),
    ),
  ),
  api_token_file: v.optional(absolutePath),
  bundle_folder: v.optional(absolutePath),
  url: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^https?:\/\/[^\s/@]+(?:[/?]\S*)?$/, 'a URL with https:// or http://, and no user in it'),
    ),
  ),
  ca_file: v.optional(absolutePath),
  client_certificate_file: v.optional(absolutePath),
  client_key_file: v.optional(absolutePath),
  token_file: v.optional(absolutePath),
  basic_auth_file: v.optional(absolutePath),
  limit_rate_kib: v.optional(wholeNumberFrom(1)),
  largest_bundle_mib: v.optional(wholeNumberFrom(1)),
  stall_seconds: v.optional(secondsUpTo(3_600)),
  fetch_tries: v.optional(wholeNumberFrom(1)),
  image_allowance_mib: v.optional(wholeNumberFrom(0)),
  ...fleetEntries,
  reserve_mib: v.optional(
    v.pipe(
      v.number('a number of MiB'),
      v.finite('a number of MiB'),
      v.minValue(0, 'a number of MiB, 0 or more'),
    ),
  ),
});

/** The rest of the file belongs to the orchestrator. A section whose lines are all comments is null. */
const fileSchema = v.pipe(
  v.unknown(),
  notList,
  v.looseObject({
    orchestrator: v.nullish(
      v.pipe(
        v.unknown(),
        notList,
        v.looseObject({ storage: v.nullish(v.pipe(v.unknown(), notList, storageSchema)) }),
      ),
    ),
    update: v.nullish(v.pipe(v.unknown(), notList, updateSchema)),
  }),
);

/** The schema of each key, for the reference documentation. */
export const configKeys = { storage: storageSchema.entries, update: updateSchema.entries };

export interface ConfigText {
  storage: v.InferOutput<typeof storageSchema>;
  update: v.InferOutput<typeof updateSchema>;
}

/** Parses and checks; `path` is for the message only. */
export function readConfigText(text: string, path: string): ConfigText {
  const { orchestrator, update } = readCheckedYaml(text, {
    what: `the config "${path}"`,
    schema: fileSchema,
    knownKeys: (way) => Object.keys((way.includes('windows') ? windowSchema : updateSchema).entries),
  });
  return { storage: orchestrator?.storage ?? {}, update: update ?? {} };
}
