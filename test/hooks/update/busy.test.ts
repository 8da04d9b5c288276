import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { recordedOutputs } from '../../support/rauc/outputs.ts';
import { writeTransaction } from '../../support/scene/by-hand.ts';
import { type StatusOptions, statusJson } from '../../support/scene/rauc-status.ts';
import { bootId, type Ended, Scene } from '../../support/scene/scene.ts';
import { transactionAt } from '../../support/scene/transactions.ts';

let scene: Scene;
let file: string;
beforeEach(() => {
  scene = new Scene();
  scene.configure({ reserve_mib: 0 });
  file = scene.write('update.raucb', 'a bundle');
  scene.write('rauc-info.json', '{"compatible":"jetson-nano-homie","version":"1.1.0"}');
  scene.write('status-busy', recordedOutputs('1.8', 'status')['busy']?.stderr ?? '');
  scene.write('mark-busy', recordedOutputs('1.8', 'mark')['good-busy']?.stderr ?? '');
});
afterEach(() => scene[Symbol.dispose]());

function update(words: string): Promise<Ended> {
  return scene.run(['update.sh', ...words.split(' ').map((word) => (word === 'FILE' ? file : word))]);
}

describe('while RAUC installs for another program', () => {
  test.each([
    'install FILE',
    'install FILE --dry-run',
    'mark-good',
    'mark-good --dry-run',
    'rollback --yes',
    'rollback --dry-run',
    'cancel',
    'cancel --dry-run',
    'repair --yes',
    'repair --dry-run',
    'backup --config-only',
    'backup --config-only --dry-run',
    'restore --config-only --yes',
    'restore --config-only --dry-run',
  ])('update.sh %s ends with 9', async (words) => {
    scene.fake('rauc', 'cat status-busy >&2; exit 1');
    const ended = await update(words);
    expect(ended.reason).toContain('RAUC is busy with an install');
    expect(ended.exitCode).toBe(9);
  });
});

describe('where RAUC has begun to install for another program meanwhile', () => {
  const inA: StatusOptions = { booted: 'rootfs.0' };
  test.each<[words: string, status: StatusOptions, arrange: () => void]>([
    ['mark-good', inA, () => {}],
    ['rollback --yes', inA, () => {}],
    ['cancel', { ...inA, primary: 'rootfs.1' }, () => {}],
    [
      'cancel',
      { ...inA, primary: 'rootfs.1' },
      () => writeTransaction(scene.places, transactionAt('installed', { bootId })),
    ],
    [
      'repair --yes',
      { ...inA, bad: ['rootfs.1'] },
      () =>
        writeTransaction(scene.places, {
          ...transactionAt('preparing', { bootId: 'earlier' }),
          isClosed: true,
        }),
    ],
  ])('update.sh %s ends with 9', async (words, status, arrange) => {
    scene.write('rauc-status.json', statusJson(status));
    arrange();
    scene.fake('rauc', 'case "$2" in mark-*) cat mark-busy >&2; exit 1 ;; *) cat rauc-status.json ;; esac');
    const ended = await update(words);
    expect(scene.calls().join('\n')).toContain('rauc status mark-');
    expect(ended.reason).toContain('RAUC is busy with an install');
    expect(ended.exitCode).toBe(9);
  });
});
