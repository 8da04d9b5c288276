import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { stateOf } from '../../shared/update/transaction/transaction.ts';
import { readHistory } from '../../shared/update/transaction/transaction-store.ts';
import { asked } from '../support/scene/boot-stage.ts';
import { composeFile, EarlyStage, updateProgram } from '../support/scene/early-stage.ts';
import { type Ended, treeOf } from '../support/scene/scene.ts';
import { sick } from '../support/servers/health-server.ts';

setDefaultTimeout(60_000);
let stage: EarlyStage;
beforeEach(() => {
  stage = new EarlyStage();
});
afterEach(() => stage[Symbol.asyncDispose]());

const { status, isActive, start, stop, markGood, leaveSlot, reboot } = asked;
const alone = [stop, 'stop core orchestrator', 'up --detach --no-deps postgres'];
const restore = ['pg_restore', 'swap'];
const standBy = expect.stringMatching(
  /^systemd-run --quiet --collect --unit=homie-repair-\d+ .* repair --yes --wait$/,
);

describe('post-install, with migrate_in: post-install', () => {
  test('arms the repair, stops, dumps, migrates, and holds the orchestrator until the reboot', async () => {
    const ended = await stage.postInstall();
    expect(stage.distinctCalls()).toEqual([standBy, isActive, ...alone, 'pg_dump', 'alembic upgrade head']);
    expect(stage.stack.database).toBe('0002 Ada');
    expect(stage.states()).toEqual(['preparing', 'installing', 'migrated', 'installed']);
    expect(await Bun.file(stage.transaction().dump?.path ?? '').text()).toBe('0001 Ada\n');
    expect([stage.isHeld, stage.isReleased, stage.isUnitActive]).toEqual([true, false, false]);
    expect(ended.exitCode).toBe(0);
  });

  test("migrates by the new slot's compose file in the project and folder of the running one", async () => {
    await stage.postInstall();
    const words = stage.read('stack/upgraded-by');
    expect(words).toStartWith(
      `--project-directory=${stage.at('root/opt/homie_orchestrator')} --file=${stage.at('slot', composeFile)} --project-name=homie_orchestrator run --rm`,
    );
  });

  test('stops nothing, and arms nothing, when the database is at its schema already', async () => {
    stage.stack.head = '0001';
    const ended = await stage.postInstall();
    expect(ended.stderr).toContain('The database is at the schema of the new version');
    expect(stage.calls()).toEqual([]);
    expect([stage.isHeld, stage.isReleased, stage.isUnitActive]).toEqual([true, true, true]);
    expect(stage.states()).toEqual(['preparing', 'installing', 'installed']);
    expect(ended.exitCode).toBe(0);
  });

  test.each(['root', 'slot'] as const)('leaves it at that when the %s has no compose file', async (where) => {
    stage.remove(`${where}/${composeFile}`);
    const ended = await stage.postInstall();
    expect(ended.stderr).toContain('There is no database that could be migrated before the reboot');
    expect([stage.isHeld, stage.isReleased, stage.isUnitActive]).toEqual([true, true, true]);
    expect(ended.exitCode).toBe(0);
  });

  test('leaves the migration to the trial when RAUC does not call it', async () => {
    const ended = await stage.run([
      'post-install',
      '--bundle',
      stage.bundle,
      '--slot-mount',
      stage.at('slot'),
    ]);
    expect(ended.stderr).toContain('the migration is done during the trial');
    expect(stage.stack.database).toBe('0001 Ada');
    expect(stage.isUnitActive).toBe(true);
    expect(ended.exitCode).toBe(0);
  });

  const without: [string, () => void][] = [
    ['there is none', () => stage.remove(updateProgram)],
    ['it knows no --wait', () => stage.write(updateProgram, '#!/bin/sh\necho Usage\n', 0o755)],
    ['systemd does not take it', () => stage.write('fail-systemd-run---quiet', 'no bus\n')],
  ];
  test.each(without)('touches nothing and fails when a repair cannot stand by: %s', async (_why, take) => {
    take();
    const ended = await stage.postInstall();
    expect(ended.reason).toMatch(
      /^Cannot migrate before the reboot: nothing would repair the data after a crash: .*\. Set update\.migrate_in: trial in orchestrator\.yaml$/,
    );
    expect(stage.calls().filter((call) => !call.startsWith('systemd-run'))).toEqual([]);
    expect([stage.isHeld, stage.isUnitActive]).toEqual([false, true]);
    expect(stage.states().at(-1)).toBe('failed');
    expect(stage.transaction().isClosed).toBe(true);
    expect(ended.exitCode).toBe(1);
  });

  test('changes nothing more, and stays held, when it is run again', async () => {
    await stage.postInstall();
    const { dump } = stage.transaction();
    expect((await stage.postInstall()).exitCode).toBe(0);
    expect(stage.transaction().dump).toEqual(dump);
    expect(stage.stack.database).toBe('0002 Ada');
    expect([stage.isHeld, stage.isReleased, stage.isUnitActive]).toEqual([true, false, false]);
    expect(stage.calls().filter((call) => /^(pg_|alembic)/.test(call))).toEqual([
      'pg_dump',
      'alembic upgrade head',
    ]);
  });

  test('--dry-run says that it would migrate, and changes nothing', async () => {
    const before = treeOf(stage.path);
    const ended = await stage.postInstall({}, '--dry-run');
    expect(ended.stderr).toContain('Would migrate the database, with the orchestrator stopped until the');
    expect(treeOf(stage.path)).toEqual(before);
  });
});

describe('post-activate, after a migration before the reboot', () => {
  test('dumps and migrates nothing again, stops what Docker brought back, and commits', async () => {
    await installAndReboot();
    const { dump } = stage.transaction();
    const ended = await nextBoot();
    expect(stage.distinctCalls()).toEqual([status, ...alone, start, isActive, markGood]);
    expect(stage.transaction().dump).toEqual(dump);
    expect(stage.states().slice(-3)).toEqual(['installed', 'trial', 'committed']);
    expect(stage.stack.database).toBe('0002 Ada');
    expect([stage.isHeld, stage.isUnitActive]).toEqual([false, true]);
    expect(ended.exitCode).toBe(0);
  });

  test('gives the data back with the slot when the new version is not healthy', async () => {
    await installAndReboot();
    stage.health.answer = sick;
    expect((await nextBoot()).exitCode).toBe(30);
    expect(stage.distinctCalls().slice(-4)).toEqual([...restore, leaveSlot, reboot]);
    expect(stage.stack.database).toBe('0001 Ada');
    expect(stage.states().at(-1)).toBe('rolled-back');
  });

  test('gives it back in the old slot when the bootloader fell back', async () => {
    await stage.postInstall();
    stage.rebootInto('rootfs.0');
    await bootedAnew();
    expect(readHistory(stage.places).map(stateOf)).toEqual(['fallen-back']);
  });

  test.each(['data:dumped', 'data:migrating', 'data:migrated', 'post-install:held'])(
    'gives it back in the old slot when power failed at "%s"',
    async (point) => {
      await stage.postInstall({ fault: `kill@${point}` });
      stage.rebootInto('rootfs.0');
      await bootedAnew();
      expect(readHistory(stage.places).map(stateOf)).toEqual(['failed']);
    },
  );

  async function installAndReboot(): Promise<void> {
    expect((await stage.postInstall()).exitCode).toBe(0);
    stage.rebootInto('rootfs.1');
    expect(stage.isUnitActive).toBe(false);
  }

  const nextBoot = (): Promise<Ended> => stage.postActivate({ env: { HOMIE_BOOT_ID: 'next-boot' } });

  async function bootedAnew(): Promise<void> {
    expect((await nextBoot()).exitCode).toBe(0);
    expect(stage.stack.database).toBe('0001 Ada');
    expect([stage.isHeld, stage.isUnitActive]).toEqual([false, true]);
    expect(stage.transaction().isClosed).toBe(true);
  }
});
