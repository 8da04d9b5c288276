import { afterAll, beforeAll, describe, expect } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { command } from '../../../shared/system/command.ts';
import { isOrchestratorActive } from '../board.ts';
import { scenario } from '../report.ts';
import { openWorkshop, type Workshop } from '../workshop.ts';
import { fillDisk } from './full-disk.ts';
import { openStage, type Stage } from './stage.ts';
import { Story, withMigration } from './story.ts';

/** The data partition runs full in the middle of a trial, at each of the steps that need room on it. */
describe('a trial on a full disk', () => {
  let workshop: Workshop;
  let stage: Stage;
  let story: Story;

  beforeAll(async () => {
    workshop = await openWorkshop();
    stage = await openStage(workshop);
    // A dump of some size: a small one fits into what a disk that counts as full still has.
    await stage.stack.sql(
      'CREATE TABLE ballast AS SELECT md5(random()::text) AS noise FROM generate_series(1, 120000)',
    );
    story = await Story.begin(stage, workshop);
  }, 300_000);
  afterAll(async () => {
    await stage?.[Symbol.asyncDispose]();
    workshop?.[Symbol.dispose]();
  }, 60_000);

  scenario('is given up, the data as it was, when there is no room for the dump', async () => {
    await story.installAndReboot('2.0.0', '2.0.0');
    {
      await using _full = await fillDisk(stage.device.dataFolder, { leaveKiB: 1024 });
      await story.postActivate();
    }
    await story.expectRolledBack(/no space left/i, false);
    expect(story.lastUpdate().migration).toBeUndefined();
  });

  scenario('owes the restore, and keeps the orchestrator from running, until there is room', async () => {
    stage.configure({ health_deadline_seconds: 10 });
    await story.installAndReboot('2.0.0', '2.0.0', { behaviour: 'never-healthy' });
    const deciding = story.postActivate();
    await story.whenMigrated();
    {
      await using _full = await fillDisk(stage.device.dataFolder, { leaveKiB: 1024 });
      await deciding;
      expect(story.verdict).toMatchObject({ exitCode: 30 });
      expect(story.verdict.stderr).toMatch(/Cannot restore the data yet: .*(space|full)/i);
      expect((await stage.reboot()).booted).toBe('A');
      expect((await story.ordinaryBoot()).exitCode).not.toBe(0);
      expect(await isOrchestratorActive(stage.device)).toBe(false);
      expect(existsSync(join(stage.device.dataFolder, 'update', 'hold'))).toBe(true);
    }
    await story.expectHome('rolled-back', /http: it answers 503/);
  });

  scenario('is committed though not a line of the log can be written', async () => {
    await story.installAndReboot('2.0.0', '2.0.0');
    const logs = join(stage.device.dataFolder, 'logs');
    const run = command({ deadlineMs: 20_000 });
    await run`mount -t tmpfs -o size=4k tmpfs ${logs}`;
    try {
      await run`dd if=/dev/zero of=${join(logs, 'filler')} bs=4096 count=1 status=none`;
      await story.postActivate();
    } finally {
      await run`umount ${logs}`;
    }
    await story.expectCommitted('0003', withMigration);
    expect(readFileSync(join(logs, 'update.log'), 'utf8')).not.toContain('Committed version "2.0.0"');
    expect(story.verdict.stderr).toContain('Committed version "2.0.0"');
  });
});
