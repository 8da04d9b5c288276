import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { renderSystemConf } from '../../../shared/packaging/board/system-conf.ts';
import { readSystemConf } from '../../../shared/rauc/system-conf.ts';
import { command } from '../../../shared/system/process/command.ts';
import { failureOf } from '../../support/failure-of.ts';
import { TempFolder } from '../../support/temp-folder.ts';

const fields = {
  compatible: 'jetson-nano-homie',
  slots: { A: '/dev/disk/by-partlabel/rootfs-a', B: '/dev/disk/by-partlabel/rootfs-b' },
  dataDirectory: '/data/rauc',
  keyring: '/etc/rauc/keyring.pem',
  preInstallHandler: '/usr/lib/homie/update-hooks/system-check',
};

const forOldest = `[system]
compatible=jetson-nano-homie
bootloader=uboot
bundle-formats=plain verity
data-directory=/data/rauc

[keyring]
path=/etc/rauc/keyring.pem
check-purpose=codesign

[handlers]
pre-install=/usr/lib/homie/update-hooks/system-check

[slot.rootfs.0]
device=/dev/disk/by-partlabel/rootfs-a
type=ext4
bootname=A
resize=true

[slot.rootfs.1]
device=/dev/disk/by-partlabel/rootfs-b
type=ext4
bootname=B
resize=true
`;
const eventLog = `[log.events]
filename=events.jsonl
format=json
max-size=1M
max-files=3

`;

describe('renderSystemConf()', () => {
  test('has what RAUC 1.8 knows, and no slot for /data', () => {
    expect(renderSystemConf({ ...fields, raucVersion: '1.8.0' })).toBe(forOldest);
  });

  test.each(['1.11.0', '1.15.2'])('keeps an event log beside the slots for RAUC %s', (raucVersion) => {
    const expected = forOldest.replace('[slot.rootfs.0]', `${eventLog}[slot.rootfs.0]`);
    expect(renderSystemConf({ ...fields, raucVersion })).toBe(expected);
  });

  test('leaves the event log out for RAUC 1.10, whose service would not start', () => {
    expect(renderSystemConf({ ...fields, raucVersion: '1.10.1' })).toBe(forOldest);
  });

  test('refuses a RAUC that has no data-directory', async () => {
    const failure = await failureOf(async () => renderSystemConf({ ...fields, raucVersion: '1.7.0' }));
    expect(failure.message).toBe('Cannot configure RAUC "1.7.0": it has no data-directory');
    expect(failure.outcome).toBe('usage');
  });

  test('is what our own hooks read', () => {
    using folder = new TempFolder();
    folder.write('etc/rauc/system.conf', forOldest);
    expect(readSystemConf(folder.path, {})).toMatchObject({
      compatible: 'jetson-nano-homie',
      slots: [
        { name: 'rootfs.0', device: fields.slots.A },
        { name: 'rootfs.1', device: fields.slots.B },
      ],
    });
  });

  test('is taken by the real rauc, which takes no key that it does not know', async () => {
    using folder = new TempFolder();
    const run = command({ deadlineMs: 20_000, accept: 'any' });
    const { stdout } = await run`rauc --version`;
    const raucVersion = /[\d.]+/.exec(stdout)?.[0].replace(/^(\d+\.\d+)$/, '$1.0') ?? '';
    folder.write('keyring.pem', 'no certificate, which is read later');
    const keyring = folder.at('keyring.pem');
    // A newer RAUC makes the folder for its data.
    const ours = renderSystemConf({ ...fields, keyring, raucVersion }).replaceAll(
      '/data/',
      `${folder.path}/`,
    );
    folder.write('ours.conf', ours);
    folder.write('wrong.conf', `${ours}no-such-key=1\n`);
    const words = async (conf: string): Promise<string> => {
      const info = await run`rauc ${`--conf=${join(folder.path, conf)}`} info ${folder.at('none.raucb')}`;
      return info.stderr;
    };
    expect(await words('wrong.conf')).toContain("Invalid key 'no-such-key'");
    expect(await words('ours.conf')).not.toMatch(/Invalid|Failed to initialize|Failed to load system config/);
  });
});
