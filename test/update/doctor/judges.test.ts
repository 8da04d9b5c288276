import { describe, expect, test } from 'bun:test';
import { parseKeyFile } from '../../../shared/rauc/key-file.ts';
import { parseStatus } from '../../../shared/rauc/status.ts';
import { judgeBootEnvironment } from '../../../shared/update/doctor/boot-environment.ts';
import { bootScriptVersion, judgeBootScript } from '../../../shared/update/doctor/boot-script.ts';
import type { Judgement } from '../../../shared/update/doctor/check-result.ts';
import { judgeClock } from '../../../shared/update/doctor/clock.ts';
import { judgeCommandLine } from '../../../shared/update/doctor/command-line.ts';
import { judgeConfig } from '../../../shared/update/doctor/config.ts';
import { judgeData } from '../../../shared/update/doctor/data.ts';
import { judgeDocker } from '../../../shared/update/doctor/docker.ts';
import { judgeKernel } from '../../../shared/update/doctor/kernel.ts';
import { judgeKeyring } from '../../../shared/update/doctor/keyring.ts';
import { judgeRaucService } from '../../../shared/update/doctor/rauc-service.ts';
import { judgeSlots } from '../../../shared/update/doctor/slots.ts';
import { judgeSystemConf } from '../../../shared/update/doctor/system-conf.ts';
import { judgeUnits } from '../../../shared/update/doctor/units.ts';
import { type StatusOptions, statusJson } from '../../support/scene/rauc-status.ts';

type Row = [when: string, judgement: Judgement, level: Judgement['level'], what: string];

const now = new Date('2026-06-01T00:00:00Z');
const twoCopies = '# U-Boot\n/dev/mmcblk0 0x80000 0x4000\n/dev/mmcblk0 0x84000 0x4000\n';

function environment(change: Partial<Parameters<typeof judgeBootEnvironment>[0]>): Judgement {
  const variables = { BOOT_ORDER: 'A B', BOOT_A_LEFT: '3', BOOT_B_LEFT: '3' };
  return judgeBootEnvironment({
    readProblem: undefined,
    variables,
    config: twoCopies,
    canary: true,
    ...change,
  });
}

const goodConf = `[system]
compatible=jetson-nano-homie
bootloader=uboot
bundle-formats=plain verity
data-directory=/data/rauc
[keyring]
path=/etc/rauc/ca.cert.pem
[slot.rootfs.0]
device=/dev/disk/by-partlabel/rootfs-a
bootname=A
[slot.rootfs.1]
device=/dev/disk/by-partlabel/rootfs-b
bootname=B
`;

function conf(text: string, missing: string[] = []): Judgement {
  const file = parseKeyFile(text);
  const slots = file.groups.flatMap(({ name, entries }) => {
    const [kind, slotClass = '', index] = name.split('.');
    const device = entries.find(({ key }) => key === 'device')?.value ?? '';
    return kind === 'slot' ? [{ name: `${slotClass}.${index}`, class: slotClass, device }] : [];
  });
  return judgeSystemConf({ path: '/etc/rauc/system.conf', file, slots, missing });
}

function slots(options: StatusOptions): Judgement {
  return judgeSlots(parseStatus(statusJson(options)));
}

function policy(rules: string): string {
  return `<busconfig>\n  <policy user="root"><allow own="de.pengutronix.rauc"/></policy>\n  <policy context="default">\n    ${rules}\n  </policy>\n</busconfig>\n`;
}

function keyring(change: Partial<Parameters<typeof judgeKeyring>[0]>, years: number[] = [2036]): Judgement {
  const certificates = years.map((year) => ({
    subject: 'Homie',
    notBefore: new Date('2026-01-01T00:00:00Z'),
    notAfter: new Date(Date.UTC(year, 0, 1)),
  }));
  return judgeKeyring({ path: '/etc/rauc/ca.cert.pem', certificates, privateKeys: [], now, ...change });
}

const goodKernel = {
  release: '4.9.337-tegra',
  filesystems: 'nodev\tproc\n\text4\n\tsquashfs\n',
  devices: 'Block devices:\n  7 loop\n253 device-mapper\n',
  modules: '',
  config:
    'CONFIG_SQUASHFS_XZ=y\nCONFIG_SQUASHFS_ZLIB=y\n# CONFIG_SQUASHFS_ZSTD is not set\nCONFIG_DM_VERITY=m\n',
};
const modules =
  'kernel/fs/squashfs/squashfs.ko.xz: \nkernel/drivers/block/loop.ko:\nkernel/drivers/md/dm-mod.ko\n';

const gib = 1024 * 1024 * 1024;
const goodData = {
  path: '/data',
  isThere: true,
  isMounted: true,
  isWritable: true,
  freeBytes: 8 * gib,
  freeFiles: undefined,
  backupBytes: gib,
};

function script(text: string, magic = 0x27051956): Judgement {
  const content = Buffer.concat([Buffer.alloc(64), Buffer.from(text)]);
  content.writeUInt32BE(magic, 0);
  return judgeBootScript({ commandLine: 'rauc.slot=A', file: { path: '/boot/boot.scr', content } });
}

const goodUnits = {
  postActivate: 'enabled',
  orchestrator: 'enabled',
  timer: 'disabled',
  orchestratorName: 'homie-orchestrator',
};

const tables: Record<string, Row[]> = {
  'boot environment': [
    ['all is well', environment({}), 'ok', 'readable, writable, in two copies, BOOT_ORDER is "A B"'],
    [
      'it cannot be read',
      environment({ readProblem: 'Cannot open /dev/x' }),
      'bad',
      'fw_printenv cannot read it: Cannot open /dev/x',
    ],
    [
      'the canary comes back another',
      environment({ canary: 'it is ""' }),
      'bad',
      'a variable that was written is read back wrong: it is ""',
    ],
    [
      'writing was not tried',
      environment({ canary: undefined }),
      'warn',
      'readable; whether it can be written was not tried',
    ],
    [
      'it has one copy',
      environment({ config: '/dev/x 0 0x4000\n#/dev/x 0x4000 0x4000\n' }),
      'warn',
      'it has a single copy: a power cut while it is written loses it',
    ],
    [
      'its copies are unknown',
      environment({ config: undefined }),
      'warn',
      'there is no /etc/fw_env.config, it is unknown whether it has two copies',
    ],
    [
      'there is no order',
      environment({ variables: {} }),
      'bad',
      'BOOT_ORDER is not set: the bootloader and RAUC do not know the slots',
    ],
    [
      'the order is empty',
      environment({ variables: { BOOT_ORDER: ' ' } }),
      'bad',
      'BOOT_ORDER is not set: the bootloader and RAUC do not know the slots',
    ],
    [
      'one slot is in the order',
      environment({ variables: { BOOT_ORDER: 'A' } }),
      'warn',
      'BOOT_ORDER is "A": there is no fallback',
    ],
    [
      'a slot has no attempt',
      environment({ variables: { BOOT_ORDER: 'A B', BOOT_A_LEFT: '0' } }),
      'warn',
      'slot "A" has no boot attempt left',
    ],
    [
      'attempts are hexadecimal',
      environment({ variables: { BOOT_ORDER: 'A B', BOOT_A_LEFT: 'a' } }),
      'ok',
      'readable, writable, in two copies, BOOT_ORDER is "A B"',
    ],
  ],
  'system.conf': [
    ['all is well', conf(goodConf), 'ok', '"rootfs.0" and "rootfs.1" are there, by their partition labels'],
    ['there is none', judgeSystemConf(undefined), 'bad', 'there is no /etc/rauc/system.conf'],
    [
      'a line is no line',
      conf(`${goodConf}hello\n`),
      'bad',
      'line 14 of "/etc/rauc/system.conf" cannot be read: RAUC does not start',
    ],
    [
      'compatible is missing',
      conf(goodConf.replace('compatible', '#')),
      'bad',
      '"/etc/rauc/system.conf" has no compatible: RAUC does not start',
    ],
    [
      'it knows no bootloader',
      conf(goodConf.replace('uboot', 'noop')),
      'bad',
      '"/etc/rauc/system.conf" does not say bootloader=uboot: no slot is ever switched',
    ],
    [
      'a slot is missing',
      conf(goodConf.slice(0, goodConf.indexOf('[slot.rootfs.1]'))),
      'bad',
      '"/etc/rauc/system.conf" has 1 slots of the class rootfs, two are needed',
    ],
    [
      'a device is missing',
      conf(goodConf, ['/dev/disk/by-partlabel/rootfs-b']),
      'bad',
      'a slot has no device: "/dev/disk/by-partlabel/rootfs-b" is not there',
    ],
    [
      'an image is skipped that is there already',
      conf(goodConf.replace('bootname=A\n', 'bootname=A\ninstall-same=false\n')),
      'bad',
      'slot "rootfs.0" has install-same=false: RAUC skips the hooks for an image that the slot holds already, and the next boot starts it without transaction, backup or migration',
    ],
    [
      'an image is skipped that is there already, by an older name of the key',
      conf(goodConf.replace('bootname=B\n', 'bootname=B\nforce-install-same=0\n')),
      'bad',
      'slot "rootfs.1" has force-install-same=0: RAUC skips the hooks for an image that the slot holds already, and the next boot starts it without transaction, backup or migration',
    ],
    [
      'every image is written, as by default',
      conf(goodConf.replace('bootname=B\n', 'bootname=B\ninstall-same=true\n')),
      'ok',
      '"rootfs.0" and "rootfs.1" are there, by their partition labels',
    ],
    [
      'a slot is not booted from',
      conf(goodConf.replace('bootname=B\n', '')),
      'bad',
      'slot "rootfs.1" has no bootname',
    ],
    [
      '/data is a slot',
      conf(`${goodConf}[slot.data.0]\ndevice=/dev/disk/by-partlabel/data\n`),
      'bad',
      '"data.0" is a slot: a bundle may overwrite the data',
    ],
    [
      'a device is named by its place',
      conf(goodConf.replace('/dev/disk/by-partlabel/rootfs-a', '/dev/mmcblk0p2')),
      'warn',
      'slot "rootfs.0" is "/dev/mmcblk0p2", which may be another partition after a reboot',
    ],
    [
      'RAUC would write into slots',
      conf(goodConf.replace('data-directory', '#')),
      'warn',
      'it has no data-directory: RAUC writes its status into the slots',
    ],
    [
      'every format is taken',
      conf(goodConf.replace('bundle-formats', '#')),
      'warn',
      'bundle-formats is not set: every format is accepted',
    ],
  ],
  slots: [
    [
      'all is well',
      slots({ booted: 'rootfs.0' }),
      'ok',
      '"rootfs.0" runs and is the primary one, "rootfs.1" is its fallback',
    ],
    [
      'RAUC cannot read the boot environment',
      slots({ booted: 'rootfs.0', primary: null, unknown: ['rootfs.0', 'rootfs.1'] }),
      'bad',
      `the boot status of slot "rootfs.0" and "rootfs.1" is unknown: RAUC cannot read it from the bootloader's environment`,
    ],
    [
      'RAUC cannot read the boot status of the other',
      slots({ booted: 'rootfs.0', unknown: ['rootfs.1'] }),
      'bad',
      `the boot status of slot "rootfs.1" is unknown: RAUC cannot read it from the bootloader's environment`,
    ],
    ['the running slot is unknown', slots({ booted: null }), 'bad', 'RAUC does not know which slot runs'],
    [
      'the one that runs is bad',
      slots({ booted: 'rootfs.0', bad: ['rootfs.0'] }),
      'bad',
      'slot "rootfs.0" runs, but is out of the boot order',
    ],
    [
      'the other is next',
      slots({ booted: 'rootfs.0', primary: 'rootfs.1' }),
      'warn',
      'slot "rootfs.0" runs, the next boot goes to "rootfs.1"',
    ],
    [
      'the next slot is unknown',
      slots({ booted: 'rootfs.0', primary: null }),
      'warn',
      'slot "rootfs.0" runs, the next boot goes to "unknown"',
    ],
    [
      'there is no fallback',
      slots({ booted: 'rootfs.0', bad: ['rootfs.1'] }),
      'warn',
      'slot "rootfs.1" is no fallback',
    ],
  ],
  'kernel command line': [
    [
      'all is well',
      judgeCommandLine('root=PARTLABEL=rootfs-a rauc.slot=A panic=10\n'),
      'ok',
      'it says "rauc.slot=A", and reboots after a panic',
    ],
    ['it cannot be read', judgeCommandLine(undefined), 'warn', 'it cannot be read'],
    [
      'the slot is told by the root',
      judgeCommandLine('root=/dev/mmcblk0p2 panic=10'),
      'warn',
      'it has no rauc.slot=: RAUC tells the slot by "root=/dev/mmcblk0p2"',
    ],
    [
      'the root is told by a label',
      judgeCommandLine('root=LABEL=rootfs-a panic=10'),
      'bad',
      'it has no rauc.slot=, and RAUC cannot tell the slot by root=',
    ],
    [
      'nothing tells',
      judgeCommandLine('quiet'),
      'bad',
      'it has no rauc.slot=, and RAUC cannot tell the slot by root=',
    ],
    [
      'a panic hangs',
      judgeCommandLine('rauc.slot=A panic=0'),
      'warn',
      'it has no panic=: a kernel that panics hangs, and the bootloader never falls back',
    ],
    [
      'a panic reboots at once',
      judgeCommandLine('rauc.slot=A panic=-1'),
      'ok',
      'it says "rauc.slot=A", and reboots after a panic',
    ],
  ],
  'rauc service': [
    [
      'all is well',
      judgeRaucService({
        isActivated: true,
        policy: policy(
          '<!-- <allow send_destination="de.pengutronix.rauc"/> --><deny send_destination="de.pengutronix.rauc"/>',
        ),
      }),
      'ok',
      'D-Bus starts it, and only permitted users may call it',
    ],
    [
      'it is not there',
      judgeRaucService({ isActivated: false, policy: undefined }),
      'bad',
      'D-Bus does not know RAUC: nothing can be installed or marked',
    ],
    [
      'it has no policy',
      judgeRaucService({ isActivated: true, policy: undefined }),
      'bad',
      'D-Bus has no policy for RAUC: no user may call RAUC, and RAUC may not own its name',
    ],
    [
      "a later file takes Debian's leave back",
      judgeRaucService({
        isActivated: true,
        policy:
          policy('<allow send_destination="de.pengutronix.rauc"/>') +
          policy('<deny send_destination="de.pengutronix.rauc"/>'),
      }),
      'ok',
      'D-Bus starts it, and only permitted users may call it',
    ],
    [
      'a later file only adds to it',
      judgeRaucService({
        isActivated: true,
        policy: policy('<allow send_destination="de.pengutronix.rauc"/>') + policy(''),
      }),
      'warn',
      'its D-Bus policy lets every user of this device install, and mark slots',
    ],
    [
      'everybody may ask',
      judgeRaucService({
        isActivated: true,
        policy: policy('<allow send_destination="de.pengutronix.rauc"/>'),
      }),
      'warn',
      'its D-Bus policy lets every user of this device install, and mark slots',
    ],
  ],
  keyring: [
    ['all is well', keyring({}), 'ok', 'one root, valid until 2036-01-01'],
    ['two roots overlap', keyring({}, [2026, 2046]), 'ok', '2 roots, valid until 2046-01-01'],
    ['it is empty', keyring({ certificates: [] }), 'bad', '"/etc/rauc/ca.cert.pem" holds no certificate'],
    ['it has ended', keyring({}, [2026]), 'bad', 'it ended on 2026-01-01'],
    [
      'it ends soon',
      keyring({ now: new Date('2035-12-01T00:00:00Z') }),
      'warn',
      'it ends on 2036-01-01, in 31 days',
    ],
    [
      'the clock is behind',
      keyring({ now: new Date('2025-01-01T00:00:00Z') }),
      'bad',
      'it is not valid yet: the clock is behind',
    ],
    [
      'the clock was never set',
      keyring({ now: new Date(0) }),
      'warn',
      'it ends on 2036-01-01; the clock cannot tell whether that is past',
    ],
    [
      'a key lies beside it',
      keyring({ privateKeys: ['/etc/rauc/ca.key.pem'] }),
      'bad',
      'a private key is on the device: "/etc/rauc/ca.key.pem"; with it, updates for every device can be signed',
    ],
  ],
  kernel: [
    ['all is well', judgeKernel(goodKernel), 'ok', 'squashfs (gzip, xz), loop and dm-verity are there'],
    [
      'all are modules',
      judgeKernel({ ...goodKernel, filesystems: '\text4\n', devices: '\n', modules }),
      'ok',
      'squashfs (gzip, xz), loop and dm-verity are there',
    ],
    [
      'there is no squashfs',
      judgeKernel({ ...goodKernel, filesystems: '\text4\n' }),
      'bad',
      'it has no squashfs: no bundle can be opened',
    ],
    [
      'there is no loop',
      judgeKernel({ ...goodKernel, devices: '253 device-mapper\n' }),
      'bad',
      'it has no loop devices: no bundle can be opened',
    ],
    [
      'its squashfs knows nothing',
      judgeKernel({ ...goodKernel, config: 'CONFIG_DM_VERITY=y\nCONFIG_SQUASHFS_LZO=y\n' }),
      'bad',
      'its squashfs supports none of gzip, xz, lz4 and zstd',
    ],
    [
      'there is no device-mapper',
      judgeKernel({ ...goodKernel, devices: '  7 loop\n' }),
      'warn',
      'it has no dm-verity: only plain bundles can be installed, up to 2 GiB',
    ],
    [
      'there is no dm-verity',
      judgeKernel({ ...goodKernel, config: goodKernel.config.replace('DM_VERITY=m', 'X=y') }),
      'warn',
      'it has no dm-verity: only plain bundles can be installed, up to 2 GiB',
    ],
    [
      'its configuration is not readable',
      judgeKernel({ ...goodKernel, config: undefined }),
      'warn',
      'squashfs, loop and device-mapper are there; it is unknown which compressors squashfs supports',
    ],
    [
      'there is no /proc',
      judgeKernel({ ...goodKernel, filesystems: '' }),
      'warn',
      '/proc cannot be read: what the kernel can do is unknown',
    ],
  ],
  clock: [
    [
      'all is well',
      judgeClock({ now, isSynchronized: true }),
      'ok',
      'it says 2026-06-01 00:00:00 UTC, set over the network',
    ],
    [
      'it is not synchronised',
      judgeClock({ now, isSynchronized: false }),
      'warn',
      'it says 2026-06-01 00:00:00 UTC; it is not set over the network',
    ],
    [
      'systemd does not answer',
      judgeClock({ now, isSynchronized: undefined }),
      'warn',
      'it says 2026-06-01 00:00:00 UTC; it is unknown whether it is right',
    ],
    [
      'it was never set',
      judgeClock({ now: new Date(0), isSynchronized: true }),
      'bad',
      'it says 1970-01-01 00:00:00: it was never set',
    ],
  ],
  'data partition': [
    ['all is well', judgeData(goodData), 'ok', '"/data" is mounted, 8.0 GiB are free'],
    ['it is not there', judgeData({ ...goodData, isThere: false }), 'bad', 'there is no "/data"'],
    [
      'it is a folder',
      judgeData({ ...goodData, isMounted: false }),
      'bad',
      '"/data" is a folder of the slot: all in it is lost with the next update',
    ],
    ['it is read-only', judgeData({ ...goodData, isWritable: false }), 'bad', '"/data" cannot be written'],
    [
      'the backup does not fit',
      judgeData({ ...goodData, freeBytes: gib - 1 }),
      'bad',
      '1.0 GiB are free on "/data", the backup alone needs 1.0 GiB',
    ],
    [
      'no inodes are left',
      judgeData({ ...goodData, freeFiles: 0 }),
      'bad',
      'only 0 more files can be made on "/data": its inodes are used up',
    ],
    [
      'inodes are left',
      judgeData({ ...goodData, freeFiles: 1000 }),
      'ok',
      '"/data" is mounted, 8.0 GiB are free',
    ],
    [
      'little is free',
      judgeData({ ...goodData, freeBytes: 1.5 * gib }),
      'warn',
      '1.5 GiB are free on "/data", which may be too little for a bundle and a dump',
    ],
  ],
  docker: [
    [
      'all is well',
      judgeDocker({ isNeeded: true, root: '/data/docker', data: '/data' }),
      'ok',
      'its images are stored in "/data/docker", on the data partition',
    ],
    [
      'it is not needed',
      judgeDocker({ isNeeded: false, root: '', data: '/data' }),
      'ok',
      'this slot has no compose file: no images are fetched for an update',
    ],
    [
      'they lie in the slot',
      judgeDocker({ isNeeded: true, root: '/var/lib/docker', data: '/data' }),
      'bad',
      'its images are stored in "/var/lib/docker": those of a new version are lost after the switch of slots',
    ],
    [
      'they lie in a folder of that beginning',
      judgeDocker({ isNeeded: true, root: '/data2/docker', data: '/data' }),
      'bad',
      'its images are stored in "/data2/docker": those of a new version are lost after the switch of slots',
    ],
    [
      'it does not answer',
      judgeDocker({ isNeeded: true, root: { problem: 'no daemon' }, data: '/data' }),
      'bad',
      'it does not answer: no daemon',
    ],
    [
      'it says nothing',
      judgeDocker({ isNeeded: true, root: '', data: '/data' }),
      'warn',
      'it does not report where its images are stored',
    ],
  ],
  'boot script': [
    [
      'all is well',
      judgeBootScript({ commandLine: `quiet homie.boot_script=${bootScriptVersion}\n`, file: undefined }),
      'ok',
      `our boot script has booted this system, in version ${bootScriptVersion}`,
    ],
    [
      'it is of another version',
      judgeBootScript({ commandLine: 'homie.boot_script=99 quiet', file: undefined }),
      'warn',
      `our boot script has booted this system, in version 99 instead of ${bootScriptVersion}`,
    ],
    [
      'it is a foreign script',
      script('test $BOOT_ORDER'),
      'warn',
      'our boot script has not booted this system; "/boot/boot.scr" is another',
    ],
    [
      'it knows no order',
      script('booti'),
      'bad',
      '"/boot/boot.scr" does not read BOOT_ORDER: RAUC\'s choice of slot is never booted',
    ],
    ['it is a text', script('BOOT_ORDER', 0x23), 'bad', '"/boot/boot.scr" is no script that U-Boot runs'],
    ...(
      [
        ['ok', 'ok', 'our boot script has booted this system, in version 1'],
        ['defaults', 'warn', 'it found no undamaged boot environment, and used its defaults'],
        ['refilled', 'warn', 'every slot had used up its attempts, and got new ones'],
        ['exhausted', 'bad', 'no slot had an attempt left: it boots the first that can be loaded, for ever'],
        ['unsaved', 'bad', 'it could not save the boot environment: attempts are not counted'],
      ] as const
    ).map(([report, level, what]): Row => {
      const commandLine = `homie.boot=${report} homie.boot_script=1`;
      return [`it reports ${report}`, judgeBootScript({ commandLine, file: undefined }), level, what];
    }),
    [
      'there is none',
      judgeBootScript({ commandLine: 'xhomie.boot_script=1', file: undefined }),
      'warn',
      'our boot script has not booted this system',
    ],
  ],
  units: [
    [
      'all is well',
      judgeUnits(goodUnits),
      'ok',
      'homie-post-activate.service and homie-orchestrator are enabled; homie-update.timer is not',
    ],
    [
      'the timer is on',
      judgeUnits({ ...goodUnits, timer: 'enabled' }),
      'ok',
      'homie-post-activate.service and homie-orchestrator are enabled; homie-update.timer is too',
    ],
    [
      'post-activate is disabled',
      judgeUnits({ ...goodUnits, postActivate: 'masked' }),
      'bad',
      'homie-post-activate.service is masked: no slot is ever marked good, no update ever committed',
    ],
    [
      'systemd does not know it',
      judgeUnits({ ...goodUnits, postActivate: undefined }),
      'bad',
      'homie-post-activate.service is not known to systemd: no slot is ever marked good, no update ever committed',
    ],
    [
      'the orchestrator is disabled',
      judgeUnits({ ...goodUnits, orchestrator: 'disabled' }),
      'warn',
      'homie-orchestrator is disabled: it does not start at boot',
    ],
  ],
  'orchestrator.yaml': [
    [
      'every key is known',
      judgeConfig([]),
      'ok',
      'every key of orchestrator.yaml is known, with a value that fits',
    ],
    [
      'a key is unknown',
      judgeConfig([
        { kind: 'unknown-key', key: 'x', what: 'the config "/c": line 2, key update.x is not known' },
      ]),
      'warn',
      'cannot use the config "/c": line 2, key update.x is not known',
    ],
    [
      'a value is wrong, too',
      judgeConfig([
        { kind: 'wrong-value', key: 'unit', what: 'the config "/c": line 1' },
        { kind: 'unknown-key', key: 'x', what: 'the config "/c": line 2' },
      ]),
      'bad',
      'cannot use the config "/c": line 1; the config "/c": line 2',
    ],
  ],
};

for (const [name, rows] of Object.entries(tables)) {
  describe(`the doctor's judgement of the ${name}`, () => {
    test.each(rows)('when %s', (_when, judgement, level, what) => {
      expect(judgement.level).toBe(level);
      expect(judgement.what).toBe(what);
      expect(judgement.todo === '').toBe(level === 'ok');
    });
  });
}
