import { afterAll, beforeAll, describe, expect } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command } from '../../../shared/system/command.ts';
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
      'CREATE TABLE ballast AS SELECT md5(random()::text) AS noise FROM generate_series(1, 600000)',
    );
    story = await Story.begin(stage, workshop);
  }, 300_000);
  afterAll(async () => {
    await stage?.[Symbol.asyncDispose]();
    workshop?.[Symbol.dispose]();
  }, 60_000);

  scenario('is left, the data as it was, when there is no room even to note it', async () => {
    await story.installAndReboot('2.0.0', '2.0.0');
    {
      await using _full = await fillDisk(stage.device.dataFolder, { leaveKiB: 0 });
      await story.postActivate();
      expect(story.verdict).toMatchObject({ exitCode: 30 });
      expect(story.verdict.stderr).toMatch(/Cannot write the transaction .*: no space left on the device/);
    }
    expect((await stage.reboot()).booted).toBe('A');
    await story.expectHome('fallen-back', /the bootloader gave the new slot up/);
  });

  scenario('is given up, the data as it was, when there is no room for the dump', async () => {
    await story.installAndReboot('2.0.0', '2.0.0');
    {
      await using _full = await smallMount(join(stage.device.dataFolder, 'backups'), '512k');
      await story.postActivate();
    }
    expect(story.verdict.stderr).toMatch(/Cannot write the backup .*: no space left on the device/);
    await story.expectRolledBack(/no space left on the device/, false);
    expect(story.lastUpdate().migration).toBeUndefined();
  });

  scenario('is committed though not a line of the log can be written', async () => {
    await story.installAndReboot('2.0.0', '2.0.0');
    const logs = join(stage.device.dataFolder, 'logs');
    {
      await using _full = await smallMount(logs, '4k');
      writeFileSync(join(logs, 'filler'), Buffer.alloc(4096));
      await story.postActivate();
    }
    await story.expectCommitted('0003', withMigration);
    expect(readFileSync(join(logs, 'update.log'), 'utf8')).not.toContain('Committed version "2.0.0"');
    expect(story.verdict.stderr).toContain('Committed version "2.0.0"');
  });
});

/** A file system of its own, of so much, over the folder. */
async function smallMount(folder: string, size: string): Promise<AsyncDisposable> {
  const run = command({ deadlineMs: 20_000 });
  await run`mount -t tmpfs -o ${`size=${size}`} tmpfs ${folder}`;
  return {
    async [Symbol.asyncDispose]() {
      await run`umount ${folder}`;
    },
  };
}
