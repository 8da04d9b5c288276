import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { readSystemConf } from '../../shared/rauc/system-conf.ts';
import { Scene } from '../support/scene/scene.ts';

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});
afterEach(() => scene[Symbol.dispose]());

const conf = `[system]
compatible=jetson-nano-homie
bootloader=uboot
[keyring]
path=ca.pem
[slot.rootfs.0]
device=/dev/disk/by-partlabel/rootfs-a
bootname=A
[slot.appfs.1]
device=/dev/other
[slot.broken]
device=/dev/nothing
[slot.rootfs.1]
description=no device
`;

describe('readSystemConf()', () => {
  test('reads compatible and every slot that has a device', () => {
    scene.write('root/etc/rauc/system.conf', conf);
    expect(readSystemConf(scene.places.root, {})).toEqual({
      path: scene.at('root/etc/rauc/system.conf'),
      compatible: 'jetson-nano-homie',
      slots: [
        { name: 'rootfs.0', class: 'rootfs', device: '/dev/disk/by-partlabel/rootfs-a' },
        { name: 'appfs.1', class: 'appfs', device: '/dev/other' },
      ],
    });
  });

  test('looks where RAUC looks, in its order', () => {
    for (const place of ['usr/lib', 'run', 'etc']) {
      scene.write(`root/${place}/rauc/system.conf`, `[system]\ncompatible=${place}\n`);
      expect(readSystemConf(scene.places.root, {})?.compatible).toBe(place);
    }
  });

  test('reads only the file that RAUC_SYSTEM_CONFIG names', () => {
    scene.write('root/etc/rauc/system.conf', conf);
    scene.write('named.conf', '[system]\ncompatible=named\n');
    const env = { RAUC_SYSTEM_CONFIG: scene.at('named.conf') };
    expect(readSystemConf(scene.places.root, env)?.compatible).toBe('named');
    expect(readSystemConf(scene.places.root, { RAUC_SYSTEM_CONFIG: '/nowhere' })).toBeUndefined();
  });

  test('answers undefined when there is none', () => {
    expect(readSystemConf(scene.places.root, {})).toBeUndefined();
  });
});
