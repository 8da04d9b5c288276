import { afterAll, beforeAll, describe, expect } from 'bun:test';
import { thisArchitecture } from '../../support/build/this-architecture.ts';
import { suiteOf } from '../../support/report/suite-report.ts';
import { logOf } from '../board.ts';
import { openWorkshop, type Workshop } from '../workshop.ts';
import { fillDisk } from './full-disk.ts';
import { openStage, type Stage } from './stage.ts';
import { Story, withMigration, withoutMigration } from './story.ts';

const { scenario } = suiteOf({ name: 'rig/update', least: 12 });

/** One device lives through all of it: after each of the first ones it is back where it began. */
describe('slot and data as one transaction, with a real stack', () => {
  let workshop: Workshop;
  let stage: Stage;
  let story: Story;

  beforeAll(async () => {
    workshop = await openWorkshop(thisArchitecture);
    stage = await openStage(workshop);
    story = await Story.begin(stage, workshop);
  }, 300_000);
  afterAll(async () => {
    await stage?.[Symbol.asyncDispose]();
    workshop?.[Symbol.dispose]();
  }, 60_000);

  describe('an install that fails leaves the stack as it was', () => {
    scenario('when an image is missing in the registry', async () => {
      const registry = `${stage.registry.name}/nowhere`;
      const reason = /Cannot pull image ".*\/nowhere\/.*": the registry does not have it/;
      await story.expectFailedInstall('2.0.0-rc.1', '2.0.0', reason, { registry });
    });

    scenario('when the registry is down', async () => {
      await stage.registry.stop();
      stage.configure({ pull_deadline_seconds: 5 });
      await story.expectFailedInstall('2.0.2-rc.1', '2.0.2-slow', /Cannot pull .*2\.0\.2-slow/);
      stage.configure({});
      await stage.registry.start();
    });

    scenario('when the disk is full at the backup', async () => {
      stage.configure({ reserve_mib: 0 });
      await using _full = await fillDisk(stage.device.dataFolder, { leaveKiB: 24 });
      await story.expectFailedInstall('2.0.0-rc.2', '2.0.0', /no space left|is full|are free/i);
    });

    scenario('and the next one is taken as if nothing had been', async () => {
      stage.configure({});
      expect(await stage.stack.health()).toMatchObject({ status: 200 });
      expect(await story.rowsOf('people')).toEqual(story.people);
    });
  });

  describe('a trial that fails gives slot and data back', () => {
    scenario('when the migration fails half-way', async () => {
      await story.installAndReboot('2.0.1', '2.0.1-halffail');
      await story.expectRolledBack(/Cannot migrate the database/);
    });

    scenario('when the application never gets healthy, with what was written before the reboot', async () => {
      await stage.stack.sql("INSERT INTO people (name) VALUES ('Grace Hopper')");
      await story.remember();
      stage.configure({ health_deadline_seconds: 12 });
      await story.installAndReboot('2.0.0', '2.0.0', { behaviour: 'never-healthy' });
      await story.expectRolledBack(/http: it answers 503/);
    });

    scenario('when it is healthy at first and then crashes again and again', async () => {
      stage.configure({ settle_seconds: 12, health_deadline_seconds: 20 });
      await story.installAndReboot('2.0.0', '2.0.0', { behaviour: 'crash-after 4' });
      await story.expectRolledBack(/homie_core/);
    });

    scenario('when it gets healthy just after the deadline', async () => {
      stage.configure({ health_deadline_seconds: 8 });
      await story.installAndReboot('2.0.0', '2.0.0', { behaviour: 'healthy-after 16' });
      await story.expectRolledBack(/http: /);
    });

    scenario('and names what was written during the trial, for it is dropped', async () => {
      stage.configure({ health_deadline_seconds: 14 });
      await story.installAndReboot('2.0.0', '2.0.0', { behaviour: 'never-healthy' });
      const deciding = story.postActivate();
      await story.whenMigrated();
      await stage.stack.sql("INSERT INTO rooms (name) VALUES ('cellar'), ('garage')");
      await deciding;
      await story.expectRolledBack(/http: it answers 503/, false);
      expect(story.lastUpdate().restored?.dropped).toEqual([expect.stringContaining('rooms: 2 rows more')]);
      expect(logOf(stage.device)).toContain('rooms: 2 rows more');
    });
  });

  describe('a trial that goes well is committed on migrated data', () => {
    scenario(
      'though the migration of eight steps takes longer than its plain deadline, for it moves',
      async () => {
        stage.configure({ migration_deadline_seconds: 6 });
        await story.installAndReboot('2.0.2', '2.0.2-slow', { stepSeconds: 2 });
        await story.postActivate();
        await story.expectCommitted('0010', withMigration);
      },
    );

    scenario('though the database was down before, which is known', async () => {
      await stage.stack.compose(['stop', 'postgres']);
      stage.configure({ health_deadline_seconds: 60 });
      await story.installAndReboot('2.0.3', '2.0.2-slow');
      await story.postActivate();
      await story.expectCommitted('0010', withoutMigration);
      const { baseline = {} } = story.lastUpdate();
      expect(Object.keys(baseline)).toEqual(expect.arrayContaining(['database', 'http']));
    });

    scenario('though it gets healthy only just within its deadline', async () => {
      stage.configure({ health_deadline_seconds: 30 });
      await story.installAndReboot('2.0.4', '2.0.2-slow', { behaviour: 'healthy-after 18' });
      await story.postActivate();
      await story.expectCommitted('0010', withoutMigration);
    });
  });
});
