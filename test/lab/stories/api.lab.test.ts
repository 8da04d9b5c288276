import { describe, expect } from 'bun:test';
import { askApi } from '../board/api.ts';
import { data, dataIn } from '../board/data.ts';
import { fetchBundle, installMs, scheduledShutdown, told, waitForVerdict } from '../board/update.ts';
import { settledBoard } from '../settled.ts';
import { story } from './story.ts';

/** The API as it ships, in its sandbox under a real systemd. */

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
      await board.run('mkdir -p /data/bundles; mv /data/1.1.0.raucb /data/bundles/');
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
      expect(await scheduledShutdown(board)).toContain('reboot');

      await board.nextBoot();
      await waitForVerdict(board);
      expect(await told(board)).toMatchObject({ version: '1.1.0', booted: 'rootfs.1', state: 'committed' });
      expect(await data(board)).toEqual(dataIn('2'));
    },
  );
});
