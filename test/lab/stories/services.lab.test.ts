import { describe, expect } from 'bun:test';
import { askApi } from '../board/api.ts';
import type { Board } from '../board/board.ts';
import { serveBundle, shelfOrigin } from '../board/shelf-server.ts';
import {
  bootEnvironment,
  bootedSlot,
  data,
  fetchBundle,
  installMs,
  notes,
  told,
  updateProgram,
  waitForVerdict,
} from '../board/update.ts';
import { labImages } from '../images/images.ts';
import { settledBoard } from '../settled.ts';
import { story } from './story.ts';

/** Our units as they ship, under a real systemd: the API in its sandbox, the timer, the reboot that logind keeps. */

const api = 'homie-update-api.service';

describe('an emulated board', () => {
  story(
    'installs by its API, which is restarted meanwhile and finds the job again',
    settledBoard,
    async (board) => {
      const property = (name: string): Promise<string> => board.run(`systemctl show -P ${name} ${api}`);
      expect(await property('ActiveState')).toBe('active');
      const { status, body } = await askApi(board, 'GET', 'status');
      expect(status).toBe(200);
      expect(body).toMatchObject({ version: '1.0.0', booted: 'rootfs.0' });
      // Its life is told to systemd, which would end it after a minute of silence.
      const fed = await property('WatchdogTimestampMonotonic');
      await board.waitFor(`test "$(systemctl show -P WatchdogTimestampMonotonic ${api})" != ${fed}`);

      await fetchBundle(board, '1.1.0');
      await board.run('mkdir -p /data/update/bundles; mv /data/1.1.0.raucb /data/update/bundles/');
      const begun = await askApi(board, 'POST', 'install', { path: '1.1.0.raucb' });
      expect(begun).toMatchObject({ status: 202, body: { kind: 'install' } });
      const { id } = begun.body;
      await board.waitFor('test "$(fw_printenv -n BOOT_ORDER)" = A', installMs);
      const process = await property('MainPID');
      await board.run(`systemctl restart ${api}`);
      expect(await property('MainPID')).not.toBe(process);
      expect(await askApi(board, 'GET', `jobs/${id}`)).toMatchObject({
        status: 200,
        body: { id, state: 'running' },
      });
      expect((await askApi(board, 'POST', 'install', { path: '1.1.0.raucb' })).status).toBe(409);
      await board.waitFor('! test -e /run/homie/job.lock || flock -n /run/homie/job.lock true', installMs);
      expect(await askApi(board, 'GET', `jobs/${id}`)).toMatchObject({
        status: 200,
        body: { state: 'done', outcome: 'rebootNeeded' },
      });
      expect(await property('NRestarts')).toBe('0');
      expect(await scheduled(board)).toContain('reboot');

      await board.nextBoot();
      await waitForVerdict(board);
      expect(await told(board)).toMatchObject({ version: '1.1.0', booted: 'rootfs.1', state: 'committed' });
      expect(await data(board)).toEqual({ notes, schema: '2' });
    },
  );

  story('updates itself from a URL when its timer has elapsed', settledBoard, async (board) => {
    await using _server = await serveBundle(board, await labImages(), '1.1.0');
    await board.run(
      `printf '  url: ${shelfOrigin}/1.1.0.raucb\\n  reboot: now\\n' >>/data/config/orchestrator.yaml`,
    );
    await board.run('systemctl enable homie-update.timer');
    const soon =
      '[Timer]\\nOnCalendar=\\nOnActiveSec=2\\nRandomizedDelaySec=0\\nAccuracySec=1\\nPersistent=no\\n';
    await board.run(
      `mkdir -p /run/systemd/system/homie-update.timer.d; printf '${soon}' >/run/systemd/system/homie-update.timer.d/lab.conf; systemctl daemon-reload; systemctl start homie-update.timer`,
    );
    await board.nextBoot(installMs);
    await waitForVerdict(board);
    expect(await told(board)).toMatchObject({ version: '1.1.0', booted: 'rootfs.1', state: 'committed' });
    // What the device was told stays true in the new slot.
    expect(await board.run('systemctl is-enabled homie-update.timer')).toBe('enabled');
    await board.run('systemctl start homie-update.service');
    expect(await board.run('tail -n 5 /data/logs/update.log')).toContain('unchanged');
  });

  story('has logind keep the reboot, and takes it back with the update', settledBoard, async (board) => {
    const bundle = await fetchBundle(board, '1.1.0');
    const { exitCode } = await board.ask(`${updateProgram} install --reboot +30 ${bundle}`, installMs);
    expect(exitCode).toBe(4);
    expect(await scheduled(board)).toContain('reboot');
    expect(await bootEnvironment(board)).toMatchObject({ order: 'B A' });

    await board.run('shutdown -c');
    expect(await scheduled(board)).toBe('');
    // Only the reboot is put off.
    expect(await told(board)).toMatchObject({ primary: 'rootfs.1', state: 'installed' });
    await board.run('shutdown -r +30');
    await board.run(`${updateProgram} cancel`);
    expect(await scheduled(board)).toBe('');
    expect(await told(board)).toMatchObject({ primary: 'rootfs.0', state: 'rolled-back' });
    expect(await bootEnvironment(board)).toMatchObject({ order: 'A B' });
    expect(await bootedSlot(board)).toBe('A');
  });
});

/** What logind will do; empty where it has nothing before it. */
async function scheduled(board: Board): Promise<string> {
  const login = 'org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager';
  const answer = await board.run(`busctl get-property ${login} ScheduledShutdown`);
  return /^\(st\) "([^"]*)"/.exec(answer)?.[1] ?? '';
}
