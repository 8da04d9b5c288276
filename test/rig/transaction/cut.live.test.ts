import { afterAll, beforeAll, describe, expect } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stateOf } from '../../../shared/update/transaction/transaction.ts';
import { thisArchitecture } from '../../support/build/this-architecture.ts';
import { suiteOf } from '../../support/report/suite-report.ts';
import { randomFrom, seed } from '../../support/seed.ts';
import { byTier, tier } from '../../support/tier.ts';
import { postActivate, transactionOf } from '../board.ts';
import { openWorkshop, type Workshop } from '../workshop.ts';
import { openStage, type Stage } from './stage.ts';
import { Story } from './story.ts';

/**
 * Power fails at a few steps of a trial that is rolled back, with the real stack, and at every one where all is proved;
 * `HOMIE_SEED` takes the same few again. Every step of every program has its turn in `test/model/`.
 */

const cuts = byTier({ quick: 3, all: 3, deep: Number.POSITIVE_INFINITY });
const mostBoots = 6;
const cutMs = 300_000;
/** There are some hundred steps, each passed twice. */
const mostMs = 24 * 60 * 60_000;
/** Of a program that was killed, as a shell says it. */
const killed = 137;

const { scenario } = suiteOf({ name: 'rig/cut', least: 2 });

describe('a trial that is cut, with a real stack', () => {
  let workshop: Workshop;
  let stage: Stage;
  let story: Story;
  /** Of one trial that is not cut, in order. */
  let steps: string[] = [];

  beforeAll(async () => {
    workshop = await openWorkshop(thisArchitecture);
    stage = await openStage(workshop, { hasFaultPoints: true, update: { health_deadline_seconds: 6 } });
    story = await Story.begin(stage, workshop);
  }, 300_000);
  afterAll(async () => {
    await stage?.[Symbol.asyncDispose]();
    workshop?.[Symbol.dispose]();
  }, 60_000);

  scenario('goes back by itself where it is not cut, and tells its steps', async () => {
    const file = join(stage.device.folder, 'steps');
    await story.installAndReboot('2.0.0', '2.0.0', { behaviour: 'never-healthy' });
    story.verdict = await postActivate(stage.device, { HOMIE_STEPS: file });
    steps = readFileSync(file, 'utf8').trimEnd().split('\n');
    await story.expectRolledBack(/http: it answers 503/, false);
    expect(steps).toContain('run systemctl --no-block reboot#1');
  });

  scenario(
    `comes to rest on the old data after ${tier === 'deep' ? 'every cut' : `${cuts} cuts`}`,
    async () => {
      const points = drawPoints();
      process.stdout.write(`Cutting at ${points.length} of ${steps.length * 2} points, HOMIE_SEED=${seed}\n`);
      expect(points.length).toBeGreaterThan(0);
      for (const point of points) {
        process.stdout.write(`cut at ${point}, about "${steps[Math.floor((point - 1) / 2)]}"\n`);
        await story.installAndReboot('2.0.0', '2.0.0', { behaviour: 'never-healthy' });
        const cut = await postActivate(stage.device, { HOMIE_FAULT: `kill@${point}` });
        expect(cut).toMatchObject({ exitCode: killed });
        await stage.reboot('power-cut');
        await comeHome();
        await expectOldData();
      }
    },
    Math.min(cuts * cutMs, mostMs),
  );

  /** Each step is passed twice: before it, and after. In order, and none twice. */
  function drawPoints(): number[] {
    const random = randomFrom(seed);
    const all = Array.from({ length: steps.length * 2 }, (_, index) => ({ point: index + 1, at: random() }));
    const drawn = all.sort((one, two) => one.at - two.at).slice(0, cuts);
    return drawn.map(({ point }) => point).sort((one, two) => one - two);
  }

  /** Boot after boot, as long as the board asks for the next one. */
  async function comeHome(): Promise<void> {
    for (let boot = 0; boot < mostBoots; boot += 1) {
      const { device } = stage;
      const ended = device.booted === 'A' ? await story.ordinaryBoot() : await postActivate(device);
      if (!device.rebootRequested()) {
        expect({ booted: device.booted, ended }).toMatchObject({ booted: 'A', ended: { exitCode: 0 } });
        return;
      }
      await stage.reboot();
    }
    throw new Error(`does not come to rest within ${mostBoots} boots`);
  }

  async function expectOldData(): Promise<void> {
    const { device, stack } = stage;
    expect(await stack.health()).toMatchObject({ status: 200 });
    expect(await story.rowsOf('people')).toEqual(story.people);
    expect(await stack.sql('SELECT version_num FROM alembic_version')).toEqual(['0002']);
    expect(existsSync(join(device.dataFolder, 'update', 'hold'))).toBe(false);
    const transaction = transactionOf(device);
    expect(transaction.isClosed).toBe(true);
    expect(['rolled-back', 'fallen-back']).toContain(stateOf(transaction));
    expect(await device.bootEnvironment()).toMatchObject({ BOOT_A_LEFT: '3' });
  }
});
