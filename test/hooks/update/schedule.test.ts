import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { weekdays } from '../../../shared/config/schedule-keys.ts';
import { readRefusals } from '../../../shared/update/admission/refusal-log.ts';
import { localText } from '../../../shared/update/schedule/local-text.ts';
import { asked } from '../../support/scene/boot-stage.ts';
import { statusJson } from '../../support/scene/rauc-status.ts';
import { type Ended, Scene, type Setting, treeOf } from '../../support/scene/scene.ts';
import { honest, someBytes } from '../../support/servers/file-server.ts';
import { HostileServer } from '../../support/servers/hostile-server.ts';

/** update.sh install within update windows, and the reboot it ends with. */

let scene: Scene;
let file: string;
beforeEach(() => {
  scene = new Scene();
  scene.usual['reserve_mib'] = 0;
  scene.usual['time_zone'] = 'UTC';
  scene.configure();
  file = scene.write('update.raucb', 'a bundle');
  scene.write('root/etc/rauc/system.conf', '[system]\ncompatible=jetson-nano-homie\n');
  scene.write('rauc-info.json', '{"compatible":"jetson-nano-homie","version":"1.1.0"}');
  scene.write('rauc-status.json', statusJson({ booted: 'rootfs.0' }));
  scene.write('rauc-install.sh', 'echo " 90% Copying image to rootfs.1"');
});
afterEach(() => scene[Symbol.dispose]());

function install(...args: string[]): Promise<Ended> {
  return scene.run(['update.sh', 'install', file, ...args]);
}

const { status } = asked;
const info = () => `rauc info --output-format=json ${file}`;
const installs = () => `rauc install ${file}`;

/** Opens at midnight of the day after tomorrow, at any time of day. */
function windowOfAnotherDay(): { setting: Setting; opens: Date } {
  const now = new Date();
  const opens = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 2));
  const day = weekdays[(opens.getUTCDay() + 6) % 7] ?? 'mon';
  return { setting: [{ days: [day], from: '00:00', to: '01:00' }], opens };
}

const openNow: Setting = [{ from: '00:00', to: '24:00' }];

describe('the update window', () => {
  test('ends an install with 13 and the time it opens: verified by then, nothing touched', async () => {
    const { setting, opens } = windowOfAnotherDay();
    scene.configure({ windows: setting });
    const ended = await install();
    expect(ended.reason).toBe(
      `Cannot install now: the update window opens at ${localText(opens, 'UTC')}. Wait, or add --now`,
    );
    expect(scene.calls()).toEqual([status, info()]);
    expect(ended.exitCode).toBe(13);
  });

  test('lets --now pass, and the reboot still waits for it', async () => {
    const { setting, opens } = windowOfAnotherDay();
    scene.configure({ windows: setting });
    const ended = await install('--now');
    expect(scene.calls().slice(0, 3)).toEqual([status, info(), installs()]);
    const minutes = Number(/^shutdown -r \+(\d+) /.exec(scene.calls()[3] ?? '')?.[1]);
    expect(Math.abs(Date.now() + minutes * 60_000 - opens.getTime())).toBeLessThan(120_000);
    expect(ended.reason).toContain('to try it; "update.sh cancel" keeps the version that runs');
    expect(ended.exitCode).toBe(4);
  });

  test('is only for the reboot when the config says install_at: any-time', async () => {
    scene.configure({ windows: windowOfAnotherDay().setting, install_at: 'any-time' });
    expect((await install()).exitCode).toBe(4);
    expect(scene.calls()).toEqual([
      status,
      info(),
      installs(),
      expect.stringMatching(/^shutdown -r \+\d{4} /),
    ]);
  });

  test('lets an install pass while it is open, and the reboot with it', async () => {
    scene.configure({ windows: openNow });
    expect((await install()).exitCode).toBe(4);
    expect(scene.calls()).toEqual([status, info(), installs(), expect.stringMatching(/^shutdown -r \+1 /)]);
  });

  test('lets a bundle be fetched at any time, and installed later without it coming again', async () => {
    const bytes = someBytes(3_000_000);
    let sent = 0;
    const count = honest(
      () => ({ bytes, etag: '"one"' }),
      (line, part) => {
        sent += part.bytes.length;
        line.write(part.head);
        line.write(part.bytes);
      },
    );
    await using server = await HostileServer.start(count);
    scene.configure({ windows: windowOfAnotherDay().setting, url: server.url });
    const early = await scene.run(['update.sh']);
    expect(early.exitCode).toBe(13);
    // One byte asks whether the server knows ranges.
    expect(sent).toBe(bytes.length + 1);

    scene.configure({ windows: openNow, url: server.url });
    scene.write('rauc-install.sh', 'cp "$2" seen');
    const late = await scene.run(['update.sh']);
    expect(late.exitCode).toBe(4);
    expect(sent - bytes.length).toBeLessThanOrEqual(2);
    expect(readFileSync(scene.at('seen')).equals(bytes)).toBe(true);
  });

  test('is told by --dry-run, which ends with 0', async () => {
    const { setting, opens } = windowOfAnotherDay();
    scene.configure({ windows: setting });
    const before = treeOf(scene.places.data);
    const ended = await install('--dry-run');
    expect(ended.reason).toBe(
      `It would be downloaded now, and installed later: the update window opens at ${localText(opens, 'UTC')}`,
    );
    expect(treeOf(scene.places.data)).toEqual(before);
    expect(ended.exitCode).toBe(0);
  });
});

describe('the reboot after an install', () => {
  const message = (when: string) =>
    `Version 1.1.0 is installed, rebooting ${when}. "update.sh cancel" keeps the version that runs, "shutdown -c" only puts the reboot off.`;

  test.each([
    [[], `shutdown -r +1 ${message('in 1 minute')}`],
    [['--reboot', '+15'], `shutdown -r +15 ${message('in 15 minutes')}`],
    [['--reboot=now'], `shutdown -r +0 ${message('now')}`],
    [['--reboot', 'window'], `shutdown -r +1 ${message('in 1 minute')}`],
  ])('of %j is announced and scheduled', async (args, call) => {
    const ended = await install(...args);
    expect(scene.calls()).toEqual([status, info(), installs(), call]);
    expect(ended.exitCode).toBe(4);
  });

  test('does not come with --reboot no, or update.reboot: no', async () => {
    const asked = await install('--reboot', 'no');
    scene.configure({ reboot: 'no' });
    // What was installed last would not be installed again.
    scene.remove('data/update/last-install.json');
    const configured = await install();
    for (const ended of [asked, configured]) {
      expect(ended.reason).toBe('Reboot to try it: "systemctl reboot"');
      expect(ended.exitCode).toBe(4);
    }
    expect(scene.calls().filter((call) => call.startsWith('shutdown'))).toEqual([]);
  });

  test('is refused with 2 before anything is done when it is asked for in other words', async () => {
    const ended = await install('--reboot', 'later');
    expect(ended.reason).toBe(
      'Cannot read --reboot "later": expected now, window, no, or a number of minutes like +5',
    );
    expect(scene.calls()).toEqual([]);
    expect(ended.exitCode).toBe(2);
  });

  test('that cannot be scheduled is reported, and the install is done anyway', async () => {
    scene.write('fail-shutdown--r', 'Failed to connect to bus\n');
    const ended = await install();
    expect(ended.stderr).toContain(
      'Cannot schedule the reboot: "shutdown" ended with 1 (Failed to connect to bus)',
    );
    expect(ended.reason).toBe('Reboot to try it: "systemctl reboot"');
    expect(ended.exitCode).toBe(4);
  });

  test('is not asked of shutdown when systemd-logind is not there: it would reboot at once', async () => {
    scene.write('no-logind', '');
    const ended = await install();
    expect(ended.stderr).toContain('Cannot schedule the reboot: systemd-logind does not answer');
    expect(scene.calls()).toEqual([status, info(), installs()]);
    expect(ended.exitCode).toBe(4);
  });

  test('does not come after an install that failed', async () => {
    scene.write('rauc-install.sh', 'echo "LastError: no"; exit 1');
    expect((await install()).exitCode).toBe(1);
    expect(scene.calls().filter((call) => call.startsWith('shutdown'))).toEqual([]);
  });

  test('shows in status, and is cancelled by update.sh cancel', async () => {
    await install();
    expect((await scene.run(['update.sh', 'status'])).stdout).toContain(
      'A reboot is scheduled for 2026-01-02T03:04:05.000Z.',
    );
    const cancelled = await scene.run(['update.sh', 'cancel']);
    expect(cancelled.stderr).toContain('Cancelled the reboot that was scheduled');
    expect((await scene.run(['update.sh', 'status'])).stdout).not.toContain('is scheduled');
  });
});

describe('the inhibit file', () => {
  test('holds off until its end, which the refusal tells', async () => {
    scene.write('data/update/inhibit', 'guests\nuntil: 2090-01-01T00:00:00Z\n');
    const ended = await install();
    expect(ended.reason).toContain(': updates are inhibited: guests (until 2090-01-01T00:00:00.000Z). ');
    expect(ended.exitCode).toBe(14);
  });

  test('does not when its end is past, which is told', async () => {
    scene.write('data/update/inhibit', 'guests\nuntil: 2025-01-01T00:00:00Z\n');
    const ended = await install();
    expect(ended.stderr).toContain(
      'The file update/inhibit ("guests") has ended at 2025-01-01T00:00:00.000Z: it does not inhibit updates any more',
    );
    expect(ended.exitCode).toBe(4);
  });
});

test('a signature that is refused is noted, and shows in status, why and doctor', async () => {
  scene.write('fail-rauc-info', 'signature verification failed: unknown signer\n');
  const refused = await install();
  expect(refused.exitCode).toBe(12);
  expect(refused.stderr).toContain(`Warning: the signature of "${file}" was refused`);
  expect(readRefusals(scene.places)).toMatchObject([
    { format: 1, outcome: 'signature', source: file, version: null },
  ]);
  await install();
  expect(readRefusals(scene.places)).toHaveLength(2);
  for (const command of ['status', 'why', 'doctor'])
    expect((await scene.run(['update.sh', command])).stdout).toContain(
      `the signature of "${file}" was refused (2 times, `,
    );
  expect(scene.read('data/logs/update.log').split('Warning:')).toHaveLength(2);
});
