import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  dropHold,
  hasHold,
  holdNextBoot,
  holdNow,
  isHeld,
  releaseThisBoot,
} from '../../../shared/update/transaction/hold.ts';
import { failureOf } from '../../support/failure-of.ts';
import { Scene, treeOf } from '../../support/scene/scene.ts';

const units = join(import.meta.dir, '../../../bundle-skeleton/rootfs/usr/lib/systemd/system');
const unit = 'homie-orchestrator.service';
const dropIn = `${unit}.d/50-homie-hold.conf`;
const hasSystemd = Bun.which('systemd-analyze') !== null;

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});
afterEach(() => scene[Symbol.dispose]());

function analyze(...words: string[]): { exitCode: number; said: string } {
  const env = { PATH: process.env['PATH'], LC_ALL: 'C' };
  const { exitCode, stdout, stderr } = Bun.spawnSync(['systemd-analyze', ...words], { env });
  return { exitCode, said: `${stdout}${stderr}` };
}

/** What systemd itself makes of the conditions that the slot is given, with the scene's places for the device's. */
function maySystemdStart(): boolean {
  const conditions = readFileSync(join(units, dropIn), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('Condition'))
    .map((line) => line.replace('/data/', `${scene.places.data}/`))
    .map((line) => line.replace('/run/homie/', `${scene.places.run}/`));
  expect(conditions).toHaveLength(2);
  expect(conditions.join()).not.toMatch(/[=!|]\/(data|run)\//);
  return analyze('condition', ...conditions).exitCode === 0;
}

/** From an empty device on: what is done, and what holds after it in this boot and in the next one. */
const lives: [done: string, now: boolean, next: boolean, work: (() => void)[]][] = [
  ['nothing', true, true, []],
  ['holdNextBoot()', true, false, [next]],
  ['holdNextBoot() twice', true, false, [next, next]],
  ['holdNow()', false, false, [now]],
  ['holdNow() twice', false, false, [now, now]],
  ['holdNextBoot(), then holdNow()', false, false, [next, now]],
  ['holdNow(), then releaseThisBoot()', true, false, [now, release]],
  ['releaseThisBoot() alone', true, true, [release]],
  ['holdNow(), then dropHold()', true, true, [now, drop]],
  ['holdNextBoot(), then dropHold()', true, true, [next, drop]],
  ['holdNow(), released, then dropHold()', true, true, [now, release, drop]],
  ['holdNow(), released, held again', false, false, [now, release, now]],
  ['dropHold() alone', true, true, [drop]],
];
function next(): void {
  holdNextBoot(scene.places);
}
function now(): void {
  holdNow(scene.places);
}
function release(): void {
  releaseThisBoot(scene.places);
}
function drop(): void {
  dropHold(scene.places);
}

describe('the hold', () => {
  test.skipIf(!hasSystemd).each(lives)(
    'after %s lets systemd start it now: %p, at the next boot: %p',
    (_done, mayNow, mayNext, work) => {
      for (const one of work) one();
      expect(maySystemdStart()).toBe(mayNow);
      expect(isHeld(scene.places)).toBe(!mayNow);
      expect(hasHold(scene.places)).toBe(!mayNext);
      scene.boot();
      expect(maySystemdStart()).toBe(mayNext);
      expect(isHeld(scene.places)).toBe(!mayNext);
      // What the other tests' scenes take for systemd decides the same.
      expect(scene.isUnitActive).toBe(mayNext);
    },
  );

  const files: [hold: boolean, released: boolean, mayStart: boolean][] = [
    [false, false, true],
    [false, true, true],
    [true, false, false],
    [true, true, true],
  ];
  test.skipIf(!hasSystemd).each(files)(
    'of hold %p and release %p: systemd starts it %p',
    (hold, released, may) => {
      if (hold) scene.write('data/update/hold', '');
      if (released) scene.write('run/released', '');
      expect(maySystemdStart()).toBe(may);
      expect(isHeld(scene.places)).toBe(!may);
    },
  );

  test('is not dropped by a dropHold() before, and leaves nothing when it is', () => {
    const before = treeOf(scene.at('data'));
    drop();
    expect(treeOf(scene.at('data'))).toEqual(before);
    next();
    drop();
    expect(hasHold(scene.places)).toBe(false);
  });

  test('says which file it cannot write', async () => {
    scene.write('data/update', 'a file where a folder should be');
    const failure = await failureOf(next);
    expect(failure.message).toStartWith(`Cannot write "${scene.at('data/update/hold')}": `);
  });
});

describe.skipIf(!hasSystemd)('homie-orchestrator.service with the drop-in that holds it', () => {
  function verify(more = ''): { exitCode: number; said: string } {
    cpSync(units, scene.at('units'), { recursive: true });
    if (more !== '') scene.write(`units/${unit}.d/60-more.conf`, more);
    return analyze('verify', scene.at('units', unit));
  }

  test('has nothing that systemd complains of', () => {
    expect(verify()).toEqual({ exitCode: 0, said: '' });
  });

  test('would be complained of when it had', () => {
    expect(verify('[Unit]\nConditionPathExits=/data\n').said).toContain("Unknown key 'ConditionPathExits'");
    expect(verify('[Service]\nExecStart=/bin/false\n').exitCode).toBe(1);
  });
});
