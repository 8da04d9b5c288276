const secondsExpected = 'expected a number of seconds from 1 to 7200';

/** What is wrong, the file, and the reason that is told. */
export const wrongConfigs: [what: string, text: string, reason: string][] = [
  ['it is a word', 'hello', 'line 1, the whole file: expected a group of keys, found "hello"'],
  ['it is a number', '42', 'line 1, the whole file: expected a group of keys, found 42'],
  ['it is a list', '# c\n- a\n- b\n', 'line 1, the whole file: expected a group of keys, found a list'],
  [
    'orchestrator is a number',
    'orchestrator: 5',
    'line 1, key orchestrator: expected a group of keys, found 5',
  ],
  [
    'orchestrator is a list',
    'orchestrator: []',
    'line 1, key orchestrator: expected a group of keys, found a list',
  ],
  [
    'storage is a list',
    'orchestrator:\n  storage: [a]',
    'line 2, key orchestrator.storage: expected a group of keys, found a list',
  ],
  [
    'a path does not begin at the root',
    'orchestrator:\n  storage:\n    data_path: /data\n    backup_path: backups\n',
    'line 4, key orchestrator.storage.backup_path: expected a path from the root, like /data/config, found "backups"',
  ],
  [
    'a path is a group',
    'orchestrator:\n  storage:\n    config_path:\n      a: b\n',
    'line 4, key orchestrator.storage.config_path: expected a text, found a group of keys',
  ],
  ['update is a word', 'update: yes', 'line 1, key update: expected a group of keys, found "yes"'],
  ['update is a list', 'update: [1]', 'line 1, key update: expected a group of keys, found a list'],
  [
    'a key of ours is misspelt',
    'update:\n\n  helth_url: x',
    'line 3, key update.helth_url is not known (the nearest known key is "health_url")',
  ],
  ['a value is missing', 'update:\n  unit:\n', 'line 2, key update.unit: expected a text, found nothing'],
  [
    'a unit has a blank',
    'update:\n  unit: a b',
    'line 2, key update.unit: expected the name of a systemd unit, found "a b"',
  ],
  [
    'a URL is of another kind',
    'update:\n  health_url: ftp://x',
    'line 2, key update.health_url: expected a URL that begins with http:// or https://, found "ftp://x"',
  ],
  [
    'a URL has a password in it',
    'update:\n  url: https://me:secret@updates.example/x',
    'line 2, key update.url: expected a URL with https:// or http://, and no user in it, found "https://me:secret@updates.example/x"',
  ],
  [
    'the bundle comes from no server',
    'update:\n  url: /media/stick/x.raucb',
    'line 2, key update.url: expected a URL with https:// or http://, and no user in it, found "/media/stick/x.raucb"',
  ],
  [
    'a file of secrets does not begin at the root',
    'update:\n  token_file: token',
    'line 2, key update.token_file: expected a path from the root, like /data/config, found "token"',
  ],
  [
    'a rate is zero',
    'update:\n  limit_rate_kib: 0',
    'line 2, key update.limit_rate_kib: expected a whole number from 1, found 0',
  ],
  [
    'the time to migrate is another',
    'update:\n  migrate_in: reboot',
    'line 2, key update.migrate_in: expected trial or post-install, found "reboot"',
  ],
  [
    'seconds are zero',
    'update:\n  health_deadline_seconds: 0',
    `line 2, key update.health_deadline_seconds: ${secondsExpected}, found 0`,
  ],
  [
    'seconds are more than a day',
    'update:\n  backup_deadline_seconds: 86401',
    'line 2, key update.backup_deadline_seconds: expected a number of seconds from 1 to 86400, found 86401',
  ],
  [
    'seconds are a text',
    'update:\n  health_deadline_seconds: "5"',
    `line 2, key update.health_deadline_seconds: ${secondsExpected}, found "5"`,
  ],
  [
    'seconds are broken',
    'update:\n  health_deadline_seconds: 1.5',
    'line 2, key update.health_deadline_seconds: expected a whole number of seconds from 1 to 7200, found 1.5',
  ],
  [
    'a version is a number',
    'update:\n  version_floor: 1.2',
    'line 2, key update.version_floor: expected a version in quotes, like "1.2.0", found 1.2',
  ],
  [
    'a version is short',
    'update:\n  version_floor: "1.2"',
    'line 2, key update.version_floor: expected a version like "1.2.0", found "1.2"',
  ],
  [
    'a version has more behind it',
    'update:\n  version_floor: "1.2.0 or so"',
    'line 2, key update.version_floor: expected a version like "1.2.0", found "1.2.0 or so"',
  ],
  [
    'a flag is YAML 1.1',
    'update:\n  allow_downgrade: yes',
    'line 2, key update.allow_downgrade: expected true or false, found "yes"',
  ],
  [
    'the windows are one window',
    'update:\n  windows: { from: "02:00", to: "04:00" }',
    'line 2, key update.windows: expected a list of windows, found a group of keys',
  ],
  [
    'a window is a text',
    'update:\n  windows: ["02:00-04:00"]',
    'line 2, key update.windows.0: expected a window, like { days: [sat, sun], from: "02:00", to: "04:30" }, found "02:00-04:00"',
  ],
  [
    'a window has a key of its own',
    'update:\n  windows:\n    - from: "02:00"\n      to: "04:00"\n      at: 5',
    'line 5, key update.windows.0.at is not known (the nearest known key is "to")',
  ],
  [
    'a time is one of no clock',
    'update:\n  windows:\n    - from: "02:00"\n      to: "24:30"',
    'line 4, key update.windows.0.to: expected a time in quotes, like "02:30", found "24:30"',
  ],
  [
    'a time is a number for YAML',
    'update:\n  windows:\n    - from: 2\n      to: "04:00"',
    'line 3, key update.windows.0.from: expected a time in quotes, like "02:30", found 2',
  ],
  [
    'a window is never open',
    'update:\n  windows:\n    - { from: "02:00", to: "02:00" }',
    'line 3, key update.windows.0: expected a window that ends at another time than it begins, found a group of keys',
  ],
  [
    'a window would never open',
    'update:\n  windows:\n    - { from: "24:00", to: "00:00" }\n',
    'line 3, key update.windows.0: expected a window from "00:00" to "24:00" for the whole day, found a group of keys',
  ],
  [
    'a day is written out',
    'update:\n  windows:\n    - { days: [monday], from: "02:00", to: "04:00" }',
    'line 3, key update.windows.0.days.0: expected a list of days, of mon, tue, wed, thu, fri, sat, sun, found "monday"',
  ],
  [
    'a time zone is not known',
    'update:\n  time_zone: Europe/Bärlin',
    'line 2, key update.time_zone: expected the name of a time zone that this system knows, like Europe/Berlin, found "Europe/Bärlin"',
  ],
  [
    'a reboot is asked for in words',
    'update:\n  reboot: tomorrow',
    'line 2, key update.reboot: expected now, window, no, or a number of minutes like +5, found "tomorrow"',
  ],
  [
    'a reboot is a number for YAML',
    'update:\n  reboot: +5',
    'line 2, key update.reboot: expected now, window, no, or a number of minutes like +5, found 5',
  ],
  [
    'a webhook is not encrypted, and not here',
    'update:\n  verdict_webhook: http://example.org/x',
    'line 2, key update.verdict_webhook: expected a URL that begins with https://, or with http:// for this machine alone, found "http://example.org/x"',
  ],
  [
    'a size is negative',
    'update:\n  reserve_mib: -1',
    'line 2, key update.reserve_mib: expected a number of MiB, 0 or more, found -1',
  ],
  [
    'a size is endless',
    'update:\n  reserve_mib: .inf',
    'line 2, key update.reserve_mib: expected a number of MiB, found Infinity',
  ],
  ...['0.0.0.0:8081', '192.168.1.5:8081', 'localhost', ':8081', 'api.sock'].map(
    (address): [string, string, string] => [
      `the API would listen on "${address}"`,
      `update:\n  api_listen: "${address}"`,
      `line 2, key update.api_listen: expected an address of this device like "127.0.0.1:8081", or the path of a socket, found "${address}"`,
    ],
  ),
  ['there is a tab', 'a: 1\nb:\n\tc: 1', 'line 3, tabs are not allowed as indentation'],
  ['a key is there twice', 'a: 1\na: 2', 'line 2, map keys must be unique'],
  ['a colon stands in a value', 'a: b: c', 'line 1, nested mappings are not allowed in compact mappings'],
  ['there are two documents', 'a: 1\n---\nb: 1', 'line 2, source contains multiple documents'],
  ['a quote is not closed', 'a: 1\nb: "x', 'line 2, missing closing "quote'],
  ['an alias has no anchor', 'a: *x', 'unresolved alias (the anchor must be set before the alias): x'],
];
