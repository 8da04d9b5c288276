import { afterAll, beforeAll, describe, expect } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command } from '../../../shared/system/process/command.ts';
import { thisArchitecture } from '../../support/build/this-architecture.ts';
import { suiteOf } from '../../support/report/suite-report.ts';
import { imageName } from '../stack/images.ts';
import type { Release } from '../stack/releases.ts';
import { openWorkshop, type Workshop } from '../workshop.ts';
import { fillDisk } from './full-disk.ts';
import { openStage, type Stage } from './stage.ts';
import { Story, withMigration } from './story.ts';

const { scenario } = suiteOf({ name: 'rig/full-disk', least: 5 });

/** The data partition runs full in the middle of a trial, at each of the steps that need room on it. */
describe('a trial on a full disk', () => {
  let workshop: Workshop;
  let stage: Stage;
  let story: Story;

  beforeAll(async () => {
    workshop = await openWorkshop(thisArchitecture);
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

  scenario('does not begin when there is no room for its images', async () => {
    const registry = await bulkyImages(stage, '2.0.0');
    await using _full = await fillDisk(stage.device.dataFolder, { leaveAllMiB: 60 });
    const reason = /Cannot fetch the images of the new version: .* are missing on ".*docker"/;
    await story.expectFailedInstall('2.0.0-rc.3', '2.0.0', reason, { registry });
  });

  scenario('is left, the data as it was, when there is no room even to note it', async () => {
    await story.installAndReboot('2.0.0', '2.0.0');
    {
      await using _full = await fillDisk(stage.device.dataFolder, { leaveKiB: 0 });
      await story.postActivate();
      expect(story.verdict).toMatchObject({ exitCode: 30 });
      expect(story.verdict.stderr).toMatch(/Cannot write the transaction .*: no space left on the device/);
    }
    expect((await stage.reboot()).booted).toBe('A');
    await story.expectHome('fallen-back', /the bootloader rejected the new slot/);
  });

  scenario('is rejected, with unchanged data, when there is no room for the dump', async () => {
    await story.installAndReboot('2.0.0', '2.0.0');
    {
      await using _full = await smallMount(join(stage.device.dataFolder, 'backups'), '512k');
      await story.postActivate();
    }
    expect(story.verdict.stderr).toMatch(/Cannot write the backup .*: no space left on the device/);
    await story.expectRolledBack(/no space left on the device/, false);
    expect(story.lastUpdate().migration).toBeUndefined();
  });

  scenario(
    'gives the data back once there is room, when the disk is full at the restore',
    async () => {
      stage.configure({ health_deadline_seconds: 14 });
      await story.installAndReboot('2.0.0', '2.0.0', { behaviour: 'never-healthy' });
      {
        const deciding = story.postActivate();
        await story.whenMigrated();
        // The database has 40 MiB and more, and its log of writes as much again.
        await using _full = await fillDisk(stage.device.dataFolder, { leaveAllMiB: 24 });
        await deciding;
        expect(story.verdict).toMatchObject({ exitCode: 30 });
        expect(story.verdict.stderr).toMatch(/Cannot restore the data yet: .*No space left on device/);
        expect((await stage.reboot()).booted).toBe('A');
        const { exitCode, stderr } = await story.ordinaryBoot();
        expect({ exitCode, stderr }).toMatchObject({ exitCode: 11 });
        expect(stderr).toMatch(/No space left on device|no space/);
        expect(existsSync(join(stage.device.dataFolder, 'update/hold'))).toBe(true);
      }
      expect((await stage.reboot()).booted).toBe('A');
      await story.expectHome('rolled-back', /http: it answers 503/);
    },
    400_000,
  );

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

/** The images of a release under another name, of which core takes 32 MiB more. Answers with the registry's part of it. */
async function bulkyImages({ engine, registry, stack }: Stage, release: Release): Promise<string> {
  const other = `${registry.name}/bulky`;
  const bulk = join(stack.folder, 'bulk.tar');
  const noise = join(stack.folder, 'noise');
  writeFileSync(noise, randomBytes(32 << 20));
  await command({ deadlineMs: 20_000 })`tar --create --file ${bulk} --directory ${stack.folder} noise`;
  await engine.docker(['import', bulk, imageName(other, 'homie_core', release)]);
  const others = [
    ['postgres', '15'],
    ['redis', '7'],
    ['orchestrator', release],
  ] as const;
  await engine.docker(['pull', '--quiet', imageName(registry.name, 'orchestrator', release)]);
  for (const [image, tag] of others)
    await engine.docker(['tag', imageName(registry.name, image, tag), imageName(other, image, tag)]);
  for (const [image, tag] of [...others, ['homie_core', release] as const]) {
    const name = imageName(other, image, tag);
    await engine.docker(['push', '--quiet', name]);
    await engine.docker(['rmi', name]);
  }
  for (const file of [bulk, noise]) rmSync(file);
  return other;
}

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
