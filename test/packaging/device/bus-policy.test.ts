import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { project } from '../../../shared/packaging/project.ts';
import { command } from '../../../shared/system/process/command.ts';
import { mayMount } from '../../support/privileges.ts';
import { TempFolder } from '../../support/temp-folder.ts';
import { until } from '../../support/until.ts';

/** Our policy read after RAUC's own, as dbus-daemon does on a device: /etc comes after /usr/share. */

const hasTools = ['dbus-daemon', 'dbus-send', 'setpriv'].every((tool) => Bun.which(tool) !== null);

/** As rauc-service 1.8 ships it. */
const raucsOwn = `<busconfig>
  <policy context="default"><allow send_destination="de.pengutronix.rauc"/></policy>
  <policy user="root"><allow own="de.pengutronix.rauc"/></policy>
</busconfig>`;
const nobody = 65534;
/** Any group that every system has stands for the updater's. */
const group = 'games';

describe.skipIf(!mayMount || !hasTools)('the policy for RAUC on the bus', () => {
  let folder: TempFolder;
  let bus: Bun.Subprocess;
  let rauc: Bun.Subprocess;
  let gid: number;
  let address: string;

  beforeAll(async () => {
    folder = new TempFolder();
    chmodSync(folder.path, 0o755);
    gid = Number(/^games:[^:]*:(\d+)/m.exec(readFileSync('/etc/group', 'utf8'))?.[1]);
    const ours = readFileSync(
      join(project.skeleton, 'device/etc/dbus-1/system.d/homie-rauc.conf'),
      'utf8',
    ).replace('homie-update', group);
    folder.write('1-rauc.conf', raucsOwn);
    folder.write('2-homie.conf', ours);
    address = `unix:path=${folder.at('socket')}`;
    // The rest is what Debian's own bus allows everybody.
    folder.write(
      'bus.conf',
      `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>custom</type><listen>${address}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><deny own="*"/><deny send_type="method_call"/><allow send_type="signal"/>
<allow send_requested_reply="true" send_type="method_return"/><allow send_requested_reply="true" send_type="error"/>
<allow receive_type="method_call"/><allow receive_type="method_return"/><allow receive_type="error"/>
<allow receive_type="signal"/><allow send_destination="org.freedesktop.DBus"/></policy>
<include>${folder.at('1-rauc.conf')}</include><include>${folder.at('2-homie.conf')}</include></busconfig>`,
    );
    bus = Bun.spawn(['dbus-daemon', `--config-file=${folder.at('bus.conf')}`, '--nofork', '--nopidfile'], {
      stdio: ['ignore', 'ignore', 'ignore'],
    });
    await until(async () => (await call(0, 0, 'org.freedesktop.DBus', 'GetId')).exitCode === 0);
    folder.write(
      'system.conf',
      '[system]\ncompatible=a-board\nbootloader=noop\n\n[keyring]\npath=none.pem\n\n[slot.rootfs.0]\ndevice=/dev/null\nbootname=A\n',
    );
    const env = { ...process.env, DBUS_STARTER_BUS_TYPE: 'session', DBUS_SESSION_BUS_ADDRESS: address };
    rauc = Bun.spawn(['rauc', `--conf=${folder.at('system.conf')}`, 'service', '--override-boot-slot=A'], {
      env,
      stdio: ['ignore', 'ignore', 'ignore'],
    });
    await until(async () => (await compatible(0, 0)).exitCode === 0);
  }, 30_000);
  afterAll(async () => {
    for (const child of [rauc, bus]) {
      child.kill('SIGTERM');
      await child.exited;
    }
    folder[Symbol.dispose]();
  });

  async function call(uid: number, callersGroup: number, destination: string, ...rest: string[]) {
    const run = command({ deadlineMs: 10_000, accept: 'any' });
    const as = [`--reuid=${uid}`, `--regid=${uid}`, `--groups=${callersGroup}`];
    const [method = '', ...args] = rest;
    const full = method.includes('.') ? method : `org.freedesktop.DBus.${method}`;
    return await run`setpriv ${as} dbus-send --bus=${address} --print-reply --dest=${destination} / ${full} ${args}`;
  }

  function compatible(uid: number, callersGroup: number) {
    const get = 'org.freedesktop.DBus.Properties.Get';
    const property = ['string:de.pengutronix.rauc.Installer', 'string:Compatible'];
    return call(uid, callersGroup, 'de.pengutronix.rauc', get, ...property);
  }

  test('accepts root and members of the updater group', async () => {
    for (const [uid, callersGroup] of [
      [0, 0],
      [nobody, gid],
    ] as const)
      expect((await compatible(uid, callersGroup)).stdout).toContain('a-board');
  });

  test('refuses all other users', async () => {
    const { exitCode, stderr } = await compatible(nobody, nobody);
    expect(stderr).toContain('org.freedesktop.DBus.Error.AccessDenied');
    expect(exitCode).toBe(1);
  });
});
