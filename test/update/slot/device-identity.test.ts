import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { lstatSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { carryIdentity } from '../../../shared/update/slot/device-identity.ts';
import { Scene, treeOf } from '../../support/scene/scene.ts';

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
  scene.write('root/etc/machine-id', `${'1f'.repeat(16)}\n`, 0o444);
  scene.write('root/etc/ssh/ssh_host_ed25519_key', 'secret', 0o600);
  scene.write('root/etc/ssh/ssh_host_ed25519_key.pub', 'public', 0o644);
  scene.write('root/etc/ssh/sshd_config', 'theirs');
});
afterEach(() => scene[Symbol.dispose]());

const carry = (): string[] => carryIdentity(scene.places.root, scene.slot);

describe('carryIdentity()', () => {
  test('carries machine id and host keys with their modes, and nothing else', () => {
    scene.write('slot/etc/machine-id', '');
    mkdirSync(scene.at('slot/etc/ssh'));
    const carried = ['etc/machine-id', 'etc/ssh/ssh_host_ed25519_key', 'etc/ssh/ssh_host_ed25519_key.pub'];
    expect(carry()).toEqual(carried);
    for (const path of carried) expect(scene.read(`slot/${path}`)).toBe(scene.read(`root/${path}`));
    expect(lstatSync(scene.at('slot/etc/ssh/ssh_host_ed25519_key')).mode & 0o777).toBe(0o600);
    expect(Object.keys(treeOf(scene.slot))).not.toContain('etc/ssh/sshd_config');
    const before = treeOf(scene.slot);
    expect(carry()).toEqual([]);
    expect(treeOf(scene.slot)).toEqual(before);
  });

  test('leaves what the slot has of its own', () => {
    scene.write('slot/etc/machine-id', `${'ab'.repeat(16)}\n`);
    scene.write('slot/etc/ssh/ssh_host_ed25519_key', 'its own');
    expect(carry()).toEqual(['etc/ssh/ssh_host_ed25519_key.pub']);
    expect(scene.read('slot/etc/ssh/ssh_host_ed25519_key')).toBe('its own');
    expect(scene.read('slot/etc/machine-id')).toStartWith('abab');
  });

  test.each(['', 'uninitialized\n', 'no id\n'])('carries no machine id that is %j', (text) => {
    rmSync(scene.at('root/etc/machine-id'));
    scene.write('root/etc/machine-id', text);
    mkdirSync(scene.at('slot/etc'));
    expect(carry()).toEqual([]);
  });

  test('has nothing to do for a slot without sshd, and stays in the slot', () => {
    symlinkSync('/outside', scene.at('slot/etc'));
    mkdirSync(scene.at('slot/outside'));
    expect(carry()).toEqual(['etc/machine-id']);
    expect(scene.read('slot/outside/machine-id')).toStartWith('1f1f');
  });
});
