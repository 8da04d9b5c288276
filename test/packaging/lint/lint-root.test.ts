import { afterAll, describe, expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { debianVersionIn, mountsData } from '../../../shared/packaging/format/root-system.ts';
import { lintBundle } from '../../../shared/packaging/lint/lint.ts';
import { command } from '../../../shared/system/process/command.ts';
import { goodBundle, TestFolder } from './bundle-folder.ts';

/** A new root that cannot prove itself after the reboot is refused before it is signed. */

const tree = {
  'usr/lib/systemd/systemd': '',
  'usr/lib/systemd/libsystemd-shared-252.so': '',
  'usr/bin/rauc': '',
  'usr/bin/docker-compose': '',
  'opt/homie_orchestrator/docker-compose.yml': 'services: { core: { image: core } }\n',
  'etc/fstab': '# /x\nLABEL=root / ext4 ro 0 1\nPARTLABEL=data  /data ext4 defaults 0 2\n',
  'var/lib/dpkg/status': status({ systemd: '252.39-1~deb12u1', rauc: '1.8-2' }),
};
type Tree = Readonly<Record<string, string | undefined>>;

function status(packages: Record<string, string>): string {
  return Object.entries(packages)
    .map(([name, version]) => `Package: ${name}\nStatus: install ok installed\nVersion: ${version}\n`)
    .join('\n');
}

const made: TestFolder[] = [];
afterAll(() => {
  for (const folder of made) folder[Symbol.dispose]();
});

async function rulesFor(files: Tree): Promise<string[]> {
  const root = new TestFolder();
  made.push(root);
  for (const [name, content] of Object.entries(files))
    if (content !== undefined) root.write(`tree/${name}`, content);
  root.write('tree/etc/hostname', 'board');
  const image = join(root.path, 'rootfs.ext4');
  await command({
    deadlineMs: 30_000,
  })`mkfs.ext4 -q -F -O ^orphan_file -d ${join(root.path, 'tree')} ${image} 8M`;
  using bundle = await goodBundle(image);
  const findings = await lintBundle(bundle.path);
  rmSync(image);
  expect(findings.every(({ level, file }) => level === 'error' && file === 'rootfs.ext4')).toBe(true);
  return findings.map(({ rule }) => rule);
}

describe('lintBundle() of an image with a system in it', () => {
  test.each<[string, Tree]>([
    ['all is there', {}],
    [
      'its systemd is as old as it may be',
      {
        'usr/lib/systemd/libsystemd-shared-252.so': undefined,
        'usr/lib/systemd/libsystemd-shared-244.so': '',
      },
    ],
    [
      'compose is a plugin',
      { 'usr/bin/docker-compose': undefined, 'usr/libexec/docker/cli-plugins/docker-compose': '' },
    ],
    [
      'it has no stack, and no compose',
      { 'usr/bin/docker-compose': undefined, 'opt/homie_orchestrator/docker-compose.yml': undefined },
    ],
    ['/data is a mount unit', { 'etc/fstab': '', 'etc/systemd/system/data.mount': '' }],
    [
      'its RAUC was built by hand',
      { 'var/lib/dpkg/status': status({}), 'usr/bin/rauc': undefined, 'usr/local/bin/rauc': '' },
    ],
    ['it is no root with systemd', { 'usr/lib/systemd/systemd': undefined, 'usr/bin/rauc': undefined }],
  ])('is silent where %s', async (_what, changes) => {
    expect(await rulesFor({ ...tree, ...changes })).toEqual([]);
  });

  test.each<[string, string, Tree]>([
    [
      'its systemd is that of Ubuntu 18.04',
      'root-systemd',
      {
        'usr/lib/systemd/libsystemd-shared-252.so': undefined,
        'usr/lib/systemd/libsystemd-shared-237.so': '',
      },
    ],
    [
      'only dpkg tells its old systemd',
      'root-systemd',
      {
        'usr/lib/systemd/libsystemd-shared-252.so': undefined,
        'var/lib/dpkg/status': status({ systemd: '243-4', rauc: '1.8-2' }),
      },
    ],
    ['it has no RAUC', 'root-rauc', { 'usr/bin/rauc': undefined }],
    ['its RAUC is that of Ubuntu 20.04', 'root-rauc', { 'var/lib/dpkg/status': status({ rauc: '1.2-1' }) }],
    [
      '/data is in a comment only',
      'root-data',
      { 'etc/fstab': '# PARTLABEL=data /data ext4 defaults 0 2\n' },
    ],
    [
      'another folder is mounted',
      'root-data',
      { 'etc/fstab': 'PARTLABEL=data /mnt/data ext4 defaults 0 2\n' },
    ],
    ['it has no fstab', 'root-data', { 'etc/fstab': undefined }],
    ['it has no compose', 'root-compose', { 'usr/bin/docker-compose': undefined }],
  ])('refuses it where %s', async (_what, rule, changes) => {
    expect(await rulesFor({ ...tree, ...changes })).toEqual([rule]);
  });
});

test.each([
  ['1:1.8-2+b1', '1.8'],
  ['252.39-1~deb12u1', '252.39'],
  ['1.13', '1.13'],
])('debianVersionIn() reads "%s" as %s', (version, expected) => {
  expect(debianVersionIn(status({ 'rauc-service': '0', rauc: version }), 'rauc')).toBe(expected);
});

test('debianVersionIn() passes over a package that was removed', () => {
  expect(
    debianVersionIn('Package: rauc\nStatus: deinstall ok config-files\nVersion: 1.2-1\n', 'rauc'),
  ).toBeUndefined();
});

test.each([
  ['/dev/mmcblk0p4 /data ext4 nosuid 0 2', true],
  ['\tUUID=1-2\t/data/\text4\tdefaults\t0 0', true],
  ['/data /mnt none bind', false],
])('mountsData() of "%s" is %p', (line, expected) => {
  expect(mountsData(line, [])).toBe(expected);
});
