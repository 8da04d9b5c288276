import { describe, expect, test } from 'bun:test';
import type { Outcome } from '../../../shared/system/exit-code.ts';
import { type AdmissionFacts, decideAdmission } from '../../../shared/update/admission/decide-admission.ts';

const mib = 1024 * 1024;
const good: AdmissionFacts = {
  bundle: {
    compatible: 'jetson-nano-homie',
    version: '1.1.0',
    architecture: 'arm64',
    imageBytes: 100 * mib,
  },
  systemCompatible: 'jetson-nano-homie',
  architecture: 'arm64',
  runningVersion: '1.0.0',
  committedVersion: '1.0.0',
  versionFloor: '1.0.0',
  mayDowngrade: false,
  inhibit: undefined,
  holder: undefined,
  isOnTrial: false,
  needsRestore: false,
  slots: [
    { name: 'rootfs.0', device: '/dev/a', bytes: 200 * mib },
    { name: 'rootfs.1', device: '/dev/b', bytes: 200 * mib },
  ],
  backup: { path: '/data/backups', neededBytes: 10 * mib, freeBytes: 10 * mib },
};

function bundle(change: Partial<AdmissionFacts['bundle']>): Pick<AdmissionFacts, 'bundle'> {
  return { bundle: { ...good.bundle, ...change } };
}

/** In the order of the rules: what can never change first. */
const refusals: [when: string, Partial<AdmissionFacts>, Outcome, reason: string, advice: RegExp][] = [
  [
    'the board is another',
    { systemCompatible: 'raspberry-pi-homie' },
    'incompatible',
    'it is for "jetson-nano-homie", this system is "raspberry-pi-homie"',
    /for this board/,
  ],
  [
    'the machine is another',
    { architecture: 'x64' },
    'incompatible',
    'its programs are for arm64, this machine is x64',
    /for this board/,
  ],
  [
    'the version is not semantic',
    bundle({ version: '1.1' }),
    'incompatible',
    'its version "1.1" is not a semantic version',
    /1\.2\.0/,
  ],
  [
    'the minimum version is higher',
    { versionFloor: '1.1.1' },
    'incompatible',
    'version 1.1.0 is older than the minimum version 1.1.1',
    /update\.version_floor/,
  ],
  [
    'a newer version runs',
    { runningVersion: '1.2.0' },
    'incompatible',
    'version 1.1.0 is older than 1.2.0, which runs',
    /update\.allow_downgrade: true/,
  ],
  [
    'a newer version was committed',
    { committedVersion: '1.2.0' },
    'incompatible',
    'version 1.1.0 is older than 1.2.0, which was committed before',
    /update\.allow_downgrade: true/,
  ],
  [
    'a slot has no device',
    { slots: [{ name: 'rootfs.1', device: '/dev/gone', bytes: undefined }] },
    'incompatible',
    'slot "rootfs.1" has no device: "/dev/gone" is not there',
    /system\.conf/,
  ],
  [
    'the image is larger than a slot',
    { slots: [{ name: 'rootfs.0', device: '/dev/a', bytes: 99 * mib }] },
    'noSpace',
    'its image of 100 MiB does not fit into slot "rootfs.0" of 99.0 MiB',
    /smaller root file system/,
  ],
  [
    'the user says no',
    { inhibit: 'guests are here' },
    'inhibited',
    'updates are inhibited: guests are here',
    /update\/inhibit/,
  ],
  [
    'another update runs',
    { holder: { program: 'update.sh', pid: 7, installing: '1.2.0' } },
    'busy',
    'another update is running (update.sh, process 7)',
    /Wait/,
  ],
  [
    'an update is on trial',
    { isOnTrial: true },
    'busy',
    'the update before it is still on trial, and the other slot is its fallback',
    /update\.sh status/,
  ],
  [
    'a restore is owed',
    { needsRestore: true },
    'tryLater',
    'the data that the update before it changed has not been restored yet',
    /Reboot: the next boot restores it/,
  ],
  [
    'the backup does not fit',
    { backup: { path: '/data/backups', neededBytes: 10 * mib, freeBytes: 10 * mib - 1 } },
    'noSpace',
    'the backup needs 10.0 MiB in "/data/backups", 10.0 MiB are free',
    /Remove old backups/,
  ],
];

describe('decideAdmission()', () => {
  test('admits when all is well', () => {
    expect(decideAdmission(good)).toBeUndefined();
  });

  test.each(refusals)('refuses when %s', (_when, change, outcome, reason, advice) => {
    const refusal = decideAdmission({ ...good, ...change });
    expect(refusal).toEqual({ outcome, reason, advice: expect.stringMatching(advice) });
  });

  test('names the earlier reason when there are two', () => {
    for (const [index, [, early, , reason]] of refusals.entries()) {
      for (const [, late] of refusals.slice(index + 1)) {
        const bundles = { bundle: { ...good.bundle, ...late.bundle, ...early.bundle } };
        const both = { ...good, ...late, ...early, ...bundles };
        if ('architecture' in early && 'bundle' in late) continue;
        expect(decideAdmission(both)?.reason).toBe(versioned(reason, both.bundle.version));
      }
    }
  });

  /** A later reason may be another version; the earlier one names whichever it is. */
  function versioned(reason: string, version: string): string {
    return reason.startsWith('its version') ? reason : reason.replace('version 1.1.0', `version ${version}`);
  }

  const orders: [version: string, than: string, isAdmitted: boolean][] = [
    ['1.1.0', '1.1.0', true],
    ['1.1.0', '1.1.0-rc.1', true],
    ['1.1.0-rc.1', '1.1.0', false],
    ['1.1.0-rc.2', '1.1.0-rc.10', false],
    ['1.1.0-rc.10', '1.1.0-rc.2', true],
    ['1.1.0+build.1', '1.1.0+build.2', true],
    ['1.10.0', '1.9.0', true],
    ['1.1.0', 'factory', true],
  ];
  test.each(orders)(
    'of version %s when %s runs, was committed or is the minimum version: %p',
    (version, than, is) => {
      const known = { ...good, ...bundle({ version }) };
      const none = { runningVersion: undefined, committedVersion: undefined, versionFloor: undefined };
      for (const key of ['runningVersion', 'committedVersion', 'versionFloor'])
        expect(decideAdmission({ ...known, ...none, [key]: than }) === undefined).toBe(is);
    },
  );

  test('admits a downgrade when it is allowed, but never below the minimum version', () => {
    const older = { ...good, runningVersion: '2.0.0', committedVersion: '2.0.0', mayDowngrade: true };
    expect(decideAdmission(older)).toBeUndefined();
    expect(decideAdmission({ ...older, versionFloor: '1.1.1' })?.reason).toContain('the minimum version');
  });

  test.each([
    ['who this system is', { systemCompatible: undefined }],
    ['what its programs run on', bundle({ architecture: undefined })],
    ['how large its image is', bundle({ imageBytes: undefined })],
    ['what runs', { runningVersion: undefined }],
    ['what was committed', { committedVersion: undefined }],
    ['a minimum version', { versionFloor: undefined }],
    ['any slot', { slots: [] }],
  ])('admits when %s is unknown', (_what, change) => {
    expect(decideAdmission({ ...good, ...change })).toBeUndefined();
  });

  test('admits an image that fills the slot exactly', () => {
    expect(decideAdmission({ ...good, ...bundle({ imageBytes: 200 * mib }) })).toBeUndefined();
  });

  test('refuses without a colon when the inhibit file is empty', () => {
    expect(decideAdmission({ ...good, inhibit: '' })?.reason).toBe('updates are inhibited');
  });

  test('admits under the lock of our own updater when that installs this version', () => {
    const holder = { program: 'update.sh', pid: 7, installing: '1.1.0' };
    expect(decideAdmission({ ...good, holder })).toBeUndefined();
    expect(decideAdmission({ ...good, holder: { ...holder, program: 'pre-install' } })?.outcome).toBe('busy');
    expect(decideAdmission({ ...good, holder: { program: 'update.sh', pid: 7 } })?.outcome).toBe('busy');
  });
});
