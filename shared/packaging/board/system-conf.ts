import semver from 'semver';
import { Failure } from '../../system/failure.ts';

export interface SystemConfFields {
  compatible: string;
  /** The slots' block devices; on a board /dev/disk/by-partlabel/…, which does not depend on the disk's name. */
  slots: Readonly<Record<'A' | 'B', string>>;
  /** On the data partition, so that RAUC's slot status is not lost when a slot is overwritten. */
  dataDirectory: string;
  keyring: string;
  /** The system's own check: a program of the running slot, not of the bundle. */
  preInstallHandler?: string | undefined;
  mountPrefix?: string | undefined;
  /** The version of the RAUC that will read the file; its service does not start with a key that it does not know. */
  raucVersion: string;
}

const oldestRauc = '1.8.0';
const firstWithEventLog = '1.11.0';

/**
 * Renders RAUC's system.conf (RAUC manual, "System Configuration File"). /data is no slot: an update must not be able to
 * write to it. Every RAUC version knows `codesign`, only newer ones know `codesign-rauc`. Throws a usage Failure for a RAUC
 * older than 1.8, which has no data-directory.
 */
export function renderSystemConf(fields: SystemConfFields): string {
  const { raucVersion, preInstallHandler, mountPrefix } = fields;
  if (semver.lt(raucVersion, oldestRauc)) {
    throw new Failure(`Cannot configure RAUC "${raucVersion}": it has no data-directory`, {
      outcome: 'usage',
      advice: 'Use RAUC 1.8 or newer',
    });
  }
  const groups: [name: string, keys: Record<string, string | undefined>][] = [
    [
      'system',
      {
        compatible: fields.compatible,
        bootloader: 'uboot',
        'bundle-formats': 'plain verity',
        mountprefix: mountPrefix,
        'data-directory': fields.dataDirectory,
      },
    ],
    ['keyring', { path: fields.keyring, 'check-purpose': 'codesign' }],
    ['handlers', { 'pre-install': preInstallHandler }],
    ['log.events', semver.gte(raucVersion, firstWithEventLog) ? eventLog : {}],
    ['slot.rootfs.0', slot('A', fields.slots.A)],
    ['slot.rootfs.1', slot('B', fields.slots.B)],
  ];
  return groups.flatMap(([name, keys]) => groupText(name, keys)).join('\n');
}

/** The file name is relative to the data directory. */
const eventLog = {
  filename: 'events.jsonl',
  format: 'json',
  'max-size': '1M',
  'max-files': '3',
};

/** An image is smaller than its slot: without `resize` the file system would keep the image's size. */
function slot(bootname: string, device: string): Record<string, string> {
  return { device, type: 'ext4', bootname, resize: 'true' };
}

function groupText(name: string, keys: Record<string, string | undefined>): string[] {
  const lines = Object.entries(keys).flatMap(([key, value]) =>
    value === undefined ? [] : `${key}=${value}\n`,
  );
  return lines.length === 0 ? [] : [`[${name}]\n${lines.join('')}`];
}
