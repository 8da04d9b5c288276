import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { readHistory } from '../../shared/update/transaction/transaction-store.ts';
import { writeTransaction } from '../support/scene/by-hand.ts';
import { type Ended, Scene } from '../support/scene/scene.ts';
import { transactionAt } from '../support/scene/transactions.ts';

setDefaultTimeout(30_000);
const composeFile = 'opt/homie_orchestrator/docker-compose.yml';
let scene: Scene;
beforeEach(() => {
  scene = new Scene();
  scene.write(`root/${composeFile}`, 'services: {core: {image: core:1}, db: {image: db:1}}\n');
  scene.write(`slot/${composeFile}`, 'services: {core: {image: core:2}, db: {image: db:1}}\n');
  scene.write('here/core:1', '');
  scene.write('here/db:1', '');
  scene.configure({ reserve_mib: 0 });
  scene.fake('docker-compose', compose);
  scene.fake('docker', docker);
  writeTransaction(scene.places, transactionAt('installing'));
});
afterEach(() => scene[Symbol.dispose]());

/** What the file says it uses; the calls that only ask are answered and not looked at here. */
const compose = `case "$*" in
  *config) file=\${2#--file=}; cat "$file" ;;
esac`;
const docker = `case "$1 $2" in
  'info '*) echo "$PWD|aarch64" ;;
  'image inspect') for image; do :; done; [ -e "here/$image" ] || { echo "No such image: $image" >&2; exit 1; } ;;
  'pull '*)
    if [ -e fail-pull ]; then cat fail-pull >&2; exit 1; fi
    cp data/update/transaction.json seen; ls slot/usr >> seen 2>&1
    touch "here/$2" ;;
  'manifest inspect') exit 1 ;;
esac`;

function postInstall(): Promise<Ended> {
  return scene.run(['slot-post-install'], { env: scene.slotHookEnv });
}

function pulled(): string[] {
  return scene.calls().filter((call) => call.startsWith('docker pull'));
}

describe('post-install, of a slot with a compose file', () => {
  test('pulls what is missing before anything else, and notes the images of both slots', async () => {
    const ended = await postInstall();
    expect(pulled()).toEqual(['docker pull core:2']);
    expect(scene.transaction().images).toEqual({ from: ['core:1', 'db:1'], to: ['core:2', 'db:1'] });
    expect(scene.states()).toEqual(['preparing', 'installing', 'installed']);
    expect(scene.read('seen')).toContain('slot/usr');
    expect(scene.read('seen')).toContain('No such file');
    expect(ended.exitCode).toBe(0);
  });

  test('pulls nothing a second time', async () => {
    await postInstall();
    const ended = await postInstall();
    expect(ended.stderr).toContain('All images of the new version are here already');
    expect(pulled()).toEqual(['docker pull core:2']);
    expect(ended.exitCode).toBe(0);
  });

  test('has no images to keep for a slot before it that has no compose file', async () => {
    scene.remove(`root/${composeFile}`);
    expect((await postInstall()).exitCode).toBe(0);
    expect(scene.transaction().images).toEqual({ from: [], to: ['core:2', 'db:1'] });
  });

  test('fails, closes the update, holds nothing and leaves the slot alone when an image is not to be had', async () => {
    scene.write('fail-pull', 'Error response from daemon: manifest for core:2 not found: manifest unknown\n');
    const ended = await postInstall();
    expect(ended.reason).toContain('Cannot pull image "core:2": ');
    expect(scene.states()).toEqual(['preparing', 'installing', 'failed']);
    expect(readHistory(scene.places)).toHaveLength(1);
    expect([scene.isHeld, scene.isReleased]).toEqual([false, false]);
    expect(readdirSync(scene.slot)).toEqual(['opt']);
    expect(ended.exitCode).toBe(1);
  });

  test('says which file is wrong when the new compose file cannot be used', async () => {
    scene.fake(
      'docker-compose',
      'case "$*" in *config) echo "services must be a mapping" >&2; exit 15;; esac',
    );
    const ended = await postInstall();
    expect(ended.reason).toBe(
      `Cannot use the compose file "${scene.at('slot', composeFile)}": "docker-compose" ended with 15 (services must be a mapping)`,
    );
    expect(scene.states().at(-1)).toBe('failed');
    expect(scene.isHeld).toBe(false);
    expect(ended.exitCode).toBe(1);
  });
});
