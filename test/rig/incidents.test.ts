import { afterAll, beforeAll, describe, expect } from 'bun:test';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EmbeddedDevice } from '../../shared/packaging/device/running-device.ts';
import { errorCodeOf } from '../../shared/system/failure.ts';
import { lockFileOf } from '../../shared/system/places.ts';
import { type LockHolder, lockHolder } from '../../shared/system/process/lock.ts';
import { stateOf } from '../../shared/update/transaction/transaction.ts';
import { readHistory } from '../../shared/update/transaction/transaction-store.ts';
import { hasLoopDevices } from '../support/privileges.ts';
import { suiteOf } from '../support/report/suite-report.ts';
import { until } from '../support/until.ts';
import { everyArchitecture, scenariosFor } from './architectures.ts';
import {
  install,
  isOrchestratorActive,
  logOf,
  postActivate,
  startOrchestrator,
  statesOf,
  transactionOf,
} from './board.ts';
import { takeSnapshot, treeOf } from './snapshot.ts';
import { bundleOf, deviceOf, openWorkshop, type Workshop } from './workshop.ts';

const suite = suiteOf({ name: 'rig/incidents', least: 8 });

describe.skipIf(!hasLoopDevices).each(everyArchitecture)('an update that goes wrong (%s)', (architecture) => {
  const { scenario, typical } = scenariosFor(architecture, suite);
  let workshop: Workshop;
  let faulty: string;
  let good: string;
  beforeAll(async () => {
    workshop = await openWorkshop(architecture);
    faulty = await bundleOf(workshop, { version: '1.1.0', hasFaultPoints: true });
    good = await bundleOf(workshop, { version: '1.1.0' });
  }, 300_000);
  afterAll(() => workshop[Symbol.dispose]());

  async function faultyDevice(fault: string, deadlineMs?: number): Promise<EmbeddedDevice> {
    const deadline = deadlineMs === undefined ? {} : { HOMIE_FAULT_DEADLINE_MS: String(deadlineMs) };
    return deviceOf(workshop, { environment: { HOMIE_FAULT: fault, ...deadline } });
  }

  scenario(
    'with pre-install killed while the orchestrator is stopped: the timer starts it again',
    async () => {
      await using device = await faultyDevice('kill@backup:stopped');
      await startOrchestrator(device, { backup_deadline_seconds: 8 });
      const before = await contentOf(device);
      const { exitCode, lastError } = await install(device, faulty);
      expect(exitCode).toBe(1);
      expect(lastError).toMatch(/slot hook/);
      expect(await isOrchestratorActive(device)).toBe(false);
      await until(() => isOrchestratorActive(device), 60_000);

      expect(await contentOf(device)).toEqual(before);
      expect(stateOf(transactionOf(device))).toBe('preparing');
      await expectGoodUpdate(device);
    },
  );

  scenario('with pre-install hanging: its deadline ends it, and the orchestrator runs', async () => {
    await using device = await faultyDevice('hang@backup:stopped', 6_000);
    await startOrchestrator(device);
    const before = await contentOf(device);
    expect((await install(device, faulty)).exitCode).toBe(1);
    expect(await isOrchestratorActive(device)).toBe(true);
    expect(await contentOf(device)).toEqual(before);
    expect(transactionOf(device)).toMatchObject({ isClosed: true });
    expect(transactionOf(device).steps.at(-1)).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('did not end within 6 s'),
    });
    await expectGoodUpdate(device);
  });

  scenario('with systemctl stop hanging: the update ends, and the orchestrator still runs', async () => {
    await using device = await deviceOf(workshop, { environment: { HOMIE_FAULT_DEADLINE_MS: '6000' } });
    await startOrchestrator(device);
    const hang = join(device.unitsFolder, 'hang-stop');
    writeFileSync(hang, '');
    expect((await install(device, faulty)).exitCode).toBe(1);
    rmSync(hang);
    expect(await isOrchestratorActive(device)).toBe(true);
    expect(stateOf(transactionOf(device))).toBe('failed');
  });

  scenario('with post-install killed: slot A boots on, and the next install heals slot B', async () => {
    await using device = await faultyDevice('kill@post-install:opened');
    await startOrchestrator(device);
    expect((await install(device, faulty)).exitCode).toBe(1);
    expect(await device.bootEnvironment()).toMatchObject({ BOOT_ORDER: 'A', BOOT_B_LEFT: '0' });
    expect((await device.reboot()).booted).toBe('A');
    await startOrchestrator(device);
    await expectGoodUpdate(device);
  });

  typical('with an application that is never healthy: rolled back, and the reason kept', async () => {
    await using device = await deviceOf(workshop);
    await startOrchestrator(device, {});
    expect((await install(device, good)).exitCode).toBe(0);
    breakOrchestrator(device);
    expect((await device.reboot()).booted).toBe('B');

    const verdict = await postActivate(device);
    expect(verdict.stderr.trim().split('\n').at(-1)).toMatch(
      /^Cannot commit the update: version "1.1.0" is not healthy: .*; rebooting into the version before it$/,
    );
    expect(verdict.exitCode).toBe(30);
    expect(device.rebootRequested()).toBe(true);
    expect((await device.bootEnvironment())['BOOT_ORDER']).toBe('A B');
    const transaction = transactionOf(device);
    expect(statesOf(transaction).at(-1)).toBe('rolled-back');
    expect(transaction.isClosed).toBe(false);
    expect((await device.reboot()).booted).toBe('A');
    // The application is broken here as well: the update has ended anyway, and the fault is reported.
    const home = await device.run(join(workshop.programs, 'post-activate'), []);
    expect(home.stderr).toContain('the application is not healthy');
    expect(home.exitCode).toBe(20);
    expect(transactionOf(device).isClosed).toBe(true);
  });

  scenario('with a slot that is never marked good: the bootloader falls back, and it is told', async () => {
    await using device = await deviceOf(workshop);
    await startOrchestrator(device);
    expect((await install(device, good)).exitCode).toBe(0);
    const boots = [];
    for (let boot = 0; boot < 4; boot += 1) boots.push((await device.reboot()).booted);
    expect(boots).toEqual(['B', 'B', 'B', 'A']);

    await device.run('systemctl', ['start', 'homie-orchestrator']);
    const program = join(workshop.programs, 'post-activate');
    const { exitCode, stderr } = await device.run(program, []);
    expect(stderr).toContain(
      'Fell back to slot "rootfs.0": version "1.1.0" in slot "rootfs.1" did not come up',
    );
    expect(exitCode).toBe(0);
    expect(await device.bootEnvironment()).toMatchObject({ BOOT_ORDER: 'A B', BOOT_A_LEFT: '3' });
    const history = readHistory({ data: device.dataFolder, root: '', run: '' });
    expect(history.map(stateOf)).toEqual(['fallen-back']);
    const again = await device.run(program, []);
    expect(again.exitCode).toBe(0);
    expect(readHistory({ data: device.dataFolder, root: '', run: '' })).toHaveLength(1);
  });

  scenario('while another is on trial: refused, its fallback is kept', async () => {
    await using device = await deviceOf(workshop, {
      environment: { HOMIE_FAULT: 'kill@trial:noted' },
    });
    await startOrchestrator(device);
    expect((await install(device, faulty)).exitCode).toBe(0);
    await device.reboot();
    await postActivate(device);
    expect(stateOf(transactionOf(device))).toBe('trial');
    const before = await takeSnapshot(device);
    const { exitCode, lastError } = await install(device, good);
    expect(lastError).toContain('the update before it is still on trial');
    expect(exitCode).toBe(1);
    expect(await takeSnapshot(device)).toEqual(before);
  });

  scenario('with two installs at once: the second is refused, the first one is whole', async () => {
    await using device = await deviceOf(workshop);
    await startOrchestrator(device);
    const first = install(device, good);
    // In the midst of a hook, until the second has come to its end.
    const { program, pid } = await heldStill(device);
    const updater = join(workshop.programs, 'update.sh');
    const second = await device.run(updater, ['install', good]);
    process.kill(pid, 'SIGCONT');
    expect(second.stderr).toContain(`another update is running (${program}, process ${pid})`);
    expect(second.exitCode).toBe(9);
    expect((await first).exitCode).toBe(0);
    expect(stateOf(transactionOf(device))).toBe('installed');
    expect(logOf(device)).toContain('Version "1.1.0" is installed');
  });

  /** The device takes the shipped bundle and commits it. */
  async function expectGoodUpdate(device: EmbeddedDevice): Promise<void> {
    expect(await install(device, good)).toEqual({ exitCode: 0, lastError: '' });
    expect((await device.reboot()).booted).toBe('B');
    expect((await postActivate(device)).exitCode).toBe(0);
    expect(stateOf(transactionOf(device))).toBe('committed');
  }
});

/** The program that has the lock, stopped before it gives it back. */
async function heldStill(device: EmbeddedDevice): Promise<LockHolder> {
  const path = lockFileOf({ data: device.dataFolder, root: '', run: join(device.folder, 'run') });
  let held: LockHolder | undefined;
  await until(() => {
    const holder = lockHolder(path);
    // Without a name in it the lock is only just being taken.
    if (holder === undefined || holder.pid === 0) return false;
    if (!isTold(holder.pid, 'SIGSTOP')) return false;
    if (lockHolder(path)?.pid === holder.pid) held = holder;
    else isTold(holder.pid, 'SIGCONT');
    return held !== undefined;
  }, 60_000);
  if (held === undefined) throw new Error('no program has the lock');
  return held;
}

/** False where the process has just ended. */
function isTold(pid: number, signal: 'SIGSTOP' | 'SIGCONT'): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (errorCodeOf(error) === 'ESRCH') return false;
    throw error;
  }
}

/** The service of the next boots ends at once, and the wait for it is short. */
function breakOrchestrator(device: EmbeddedDevice): void {
  device.addService('homie-orchestrator', ['/bin/false']);
  const file = join(device.dataFolder, 'config', 'orchestrator.yaml');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace(/health_deadline_seconds: \d+/, 'health_deadline_seconds: 3'));
}

/** All files of both slots: RAUC mounts the target for pre-install, which alone changes its superblock. */
async function contentOf(device: EmbeddedDevice) {
  const contentIn = (bootname: 'A' | 'B') => device.withSlotMounted(bootname, (slot) => treeOf(slot));
  return { A: await contentIn('A'), B: await contentIn('B') };
}
