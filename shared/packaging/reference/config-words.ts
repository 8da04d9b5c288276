import type { ConfigText } from '../../config/config-schema.ts';

/** The description of each configuration key. A key that is not in the schema does not compile; a test finds missing keys. */

type Words<Section extends keyof ConfigText> = Readonly<Record<keyof ConfigText[Section], string>>;

export const storageWords: Words<'storage'> = {
  data_path: 'the data partition; the two below default to folders in it',
  config_path: 'what is backed up before an update',
  backup_path: 'where backups go, each with its `.sha256`; not inside `config_path`',
};

/** The sections are in the order of an update. */
export const updateWords: readonly (readonly [heading: string, words: Partial<Words<'update'>>])[] = [
  [
    'where updates come from',
    {
      url: 'what `update.sh` fetches where it is told nothing else',
      ca_file: 'who vouches for the server, in place of the usual authorities',
      client_certificate_file: 'for mTLS, with its key; both or none',
      client_key_file: 'no passphrase; `chmod 600`, as token and basic auth',
      token_file: 'sent as a bearer token',
      basic_auth_file: 'in place of a token: one line, `user:password`',
      limit_rate_kib: 'KiB a second; as fast as it goes by default',
      largest_bundle_mib: 'more is never fetched, whatever the server says',
      stall_seconds: 'how long a server may send less than 1 KiB/s',
      fetch_tries: 'in a row with nothing gained; what has come is kept for the next run',
      image_allowance_mib: "what the new version's images need beside those here",
    },
  ],
  [
    'the fleet',
    {
      fleet_url: "the fleet's hawkBit server; see [fleet.md](fleet.md)",
      fleet_tenant: 'of that server; `DEFAULT` where it is not given',
      fleet_controller_id: 'what the server calls this device; by default made from the machine id',
      fleet_target_token_file: 'one line, for this device alone; `chmod 600`',
      fleet_gateway_token_file: 'in place of it: one for all devices',
      fleet_consent:
        'with `ask` what the server attempts, or wants confirmed, waits for `update.sh consent yes`',
    },
  ],
  [
    'what may be installed, and when',
    {
      version_floor: 'nothing older is installed, whatever ran here before',
      allow_downgrade: 'versions older than the running or the committed one',
      windows: 'when updates may be installed and rebooted into; any time where there is none',
      time_zone: "whose wall clock the windows are told by; the system's by default",
      install_at: 'with `any-time` only the reboot waits for the window',
      reboot: 'after an install; without a word `window` where there are windows, else `+1`',
      timer: '`homie-update.timer` in new slots; by default as in the slot that runs',
    },
  ],
  [
    'the backup',
    {
      backup_deadline_seconds: 'how long the orchestrator may stand still for it',
      keep_backups: 'the newest ones, kept after a commit',
      backup_budget_mib: 'the oldest ones go beyond it',
      reserve_mib: 'stays free on the data partition beside the backup',
    },
  ],
  [
    'the stack',
    {
      unit: "the orchestrator's systemd unit",
      compose_file: 'in each slot; without it there are no images and no migrations',
      database_service: 'where PostgreSQL runs',
      redis_service: 'where redis runs',
      migration_service: 'its image carries alembic',
      migrate_in: '`post-install`: before the reboot, the orchestrator stopped until then',
      migration_deadline_seconds: 'without progress; each sign of it begins the time anew',
      migration_longest_seconds: 'whatever the progress',
      pull_deadline_seconds: 'for the images of the new version',
    },
  ],
  [
    'the verdict',
    {
      health_url: 'asked from outside, as a client would; any 2xx answer is healthy',
      health_deadline_seconds: 'how long a trial waits for the first healthy answer',
      settle_seconds: 'how long it has to stay healthy before it is believed',
      disabled_checks: 'names of health checks that are not asked',
      verdict_command: 'gets each verdict as JSON on its stdin',
      verdict_webhook: 'each verdict is posted to it',
    },
  ],
  [
    'the API on this device',
    {
      api_listen: 'only this device; or a socket, like `/run/homie/api.sock`; read at the start',
      api_token_file: 'made at the first start; who has it may install and roll back',
      bundle_folder: 'the only folder from which the API installs',
    },
  ],
];
