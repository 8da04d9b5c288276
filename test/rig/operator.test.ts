import { afterAll, beforeAll, describe, expect } from 'bun:test';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EmbeddedDevice } from '../../shared/packaging/device/running-device.ts';
import type { CheckResult } from '../../shared/update/doctor/check-result.ts';
import { hasLoopDevices } from '../support/privileges.ts';
import { suiteOf } from '../support/report/suite-report.ts';
import { architectures, scenariosFor } from './architectures.ts';
import { startOrchestrator, statesOf, transactionOf } from './board.ts';
import { takeSnapshot } from './snapshot.ts';
import { bundleOf, deviceOf, openWorkshop, type Workshop } from './workshop.ts';

const suite = suiteOf({ name: 'rig/operator', least: 4 });

/** The operator's command on a device with the real RAUC, the real boot environment, and the programs as they ship. */
describe.skipIf(!hasLoopDevices).each(architectures)("an operator's day (%s)", (architecture) => {
  const { scenario } = scenariosFor(architecture, suite);
  let workshop: Workshop;
  let good: string;
  beforeAll(async () => {
    workshop = await openWorkshop(architecture);
    good = await bundleOf(workshop, { version: '1.1.0' });
  }, 300_000);
  afterAll(() => workshop[Symbol.dispose]());

  const update = (device: EmbeddedDevice, ...args: string[]) =>
    device.run(join(workshop.programs, 'update.sh'), args, { deadlineMs: 180_000 });

  async function findingsOf(device: EmbeddedDevice, ...args: string[]): Promise<Record<string, CheckResult>> {
    const { stdout } = await update(device, 'doctor', '--json', ...args);
    const { findings }: { findings: CheckResult[] } = JSON.parse(stdout);
    return Object.fromEntries(findings.map((finding) => [finding.check, finding]));
  }

  scenario('with a doctor who finds a healthy board well, and leaves it as it was', async () => {
    await using device = await deviceOf(workshop);
    await startOrchestrator(device);
    const before = await takeSnapshot(device);
    const found = await findingsOf(device);
    // Two copies, which only the fw_env.config of this machine's shims says: the slot has none.
    expect(found['boot environment']).toMatchObject({
      level: 'warn',
      what: 'there is no /etc/fw_env.config, it is unknown whether it has two copies',
    });
    expect(found['slots']).toMatchObject({ level: 'ok', what: expect.stringContaining('"rootfs.0" runs') });
    expect(found['keyring']).toMatchObject({
      level: 'ok',
      what: expect.stringMatching(/^one root, valid until 20\d\d-/),
    });
    expect(found['data partition']?.level).not.toBe('bad');
    // Loop devices are no partition labels.
    expect(found['system.conf']).toMatchObject({
      level: 'warn',
      what: expect.stringContaining('another partition after a reboot'),
    });
    expect(await takeSnapshot(device)).toEqual(before);
    expect(Object.keys(await device.bootEnvironment())).not.toContain('homie_canary');
  });

  scenario('with a doctor who finds what is wrong with the boot environment and the slots', async () => {
    await using device = await deviceOf(workshop);
    await startOrchestrator(device);
    const setenv = join(device.binFolder, 'fw_setenv');
    const real = readFileSync(setenv, 'utf8');
    writeFileSync(setenv, '#!/bin/sh\nexit 0\n');
    expect((await findingsOf(device))['boot environment']).toMatchObject({
      level: 'bad',
      what: expect.stringContaining('a variable that was written is read back wrong'),
    });
    // A dry run does not try it.
    expect((await findingsOf(device, '--dry-run'))['boot environment']).toMatchObject({ level: 'warn' });
    writeFileSync(setenv, real);

    await device.rauc(['status', 'mark-bad', 'rootfs.1']);
    const found = await findingsOf(device);
    expect(found['slots']).toMatchObject({ level: 'warn', what: 'slot "rootfs.1" is no fallback' });
    expect(found['boot environment']).toMatchObject({
      level: 'warn',
      what: 'BOOT_ORDER is "A": there is no fallback',
    });

    writeFileSync(
      join(device.binFolder, 'fw_printenv'),
      '#!/bin/sh\necho "Cannot read environment" >&2; exit 1\n',
    );
    const { exitCode, stdout } = await update(device, 'doctor');
    expect(stdout).toContain(
      'fw_printenv cannot read it: "fw_printenv" ended with 1 (Cannot read environment)',
    );
    expect(exitCode).toBe(1);
  });

  scenario(
    'with an install, its reboot scheduled, and both cancelled: the old slot stays the primary one',
    async () => {
      await using device = await deviceOf(workshop);
      await startOrchestrator(device);
      const installed = await update(device, 'install', good, '--reboot', '+30');
      expect(installed.stderr).toContain('Rebooting in 30 minutes to try it');
      expect(installed.exitCode).toBe(4);
      expect(await device.bootEnvironment()).toMatchObject({ BOOT_ORDER: 'B A' });
      const why = JSON.parse((await update(device, 'why', '--json')).stdout);
      expect(why.scheduled.mode).toBe('reboot');
      expect(Math.abs(Date.parse(why.scheduled.at) - Date.now() - 30 * 60_000)).toBeLessThan(120_000);
      expect(why.next[0]).toBe(
        'The next boot tries version "1.1.0" in slot "rootfs.1": it is committed once it is healthy, else the device goes back by itself.',
      );

      const cancelled = await update(device, 'cancel');
      expect(cancelled.stderr).toContain('Cancelled the reboot that was scheduled for ');
      expect(cancelled.exitCode).toBe(0);
      expect(existsSync(join(device.unitsFolder, 'state', 'scheduled'))).toBe(false);
      expect(await device.bootEnvironment()).toMatchObject({ BOOT_ORDER: 'A B' });
      expect(statesOf(transactionOf(device)).at(-1)).toBe('rolled-back');
      expect((await device.reboot()).booted).toBe('A');
    },
  );

  scenario('with an unrequested slot switch: reported by status, why and doctor', async () => {
    await using device = await deviceOf(workshop);
    await startOrchestrator(device);
    expect((await update(device, 'install', good, '--reboot', 'no')).exitCode).toBe(4);
    expect((await update(device, 'cancel')).exitCode).toBe(0);
    await device.rauc(['status', 'mark-active', 'rootfs.1']);
    expect((await device.reboot()).booted).toBe('B');
    const status = JSON.parse((await update(device, 'status', '--json')).stdout);
    expect(status.anomalies).toMatchObject([{ kind: 'slot-switch' }]);
    expect((await update(device, 'why')).stdout).toContain('no program on this device asked for the switch');
    expect((await findingsOf(device))['history']).toMatchObject({ level: 'warn' });
  });
});
