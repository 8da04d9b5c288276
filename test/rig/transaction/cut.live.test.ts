import { afterAll, beforeAll, describe, expect } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stateOf } from '../../../shared/update/transaction.ts';
import { thisArchitecture } from '../../support/this-architecture.ts';
import { postActivate, transactionOf } from '../board.ts';
import { scenario } from '../report.ts';
import { openWorkshop, type Workshop } from '../workshop.ts';
import { openStage, type Stage } from './stage.ts';
import { Story } from './story.ts';

/**
 * Power fails at a few steps of a trial that is rolled back, with the real stack; `HOMIE_SEED` takes others. Every step
 * has its turn in `test/model/`.
 */

const cuts = 3;
const mostBoots = 6;
const seed = Number(process.env['HOMIE_SEED'] ?? 1);

describe(`a trial that is cut, with a real stack (seed ${seed})`, () => {
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

  for (let cut = 0; cut < cuts; cut += 1) {
    scenario(
      `comes to rest on the old data after cut ${cut + 1}`,
      async () => {
        await story.installAndReboot('2.0.0', '2.0.0', { behaviour: 'never-healthy' });
        // Each step is passed twice: before it, and after.
        const point = 1 + ((seed + cut * 7919) % (steps.length * 2));
        await postActivate(stage.device, { HOMIE_FAULT: `kill@${point}` });
        process.stdout.write(`cut at ${point}, about "${steps[Math.floor((point - 1) / 2)]}"\n`);
        await stage.reboot('power-cut');
        await comeHome();
        await expectOldData();
      },
      300_000,
    );
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
