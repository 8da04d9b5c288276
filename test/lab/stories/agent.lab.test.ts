import { describe, expect } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FleetServer } from '../../fleet/server/fleet-server.ts';
import { Management } from '../../fleet/server/management.ts';
import type { Board } from '../board/board.ts';
import { data, dataIn } from '../board/data.ts';
import { takeFromShelf } from '../board/shelf-server.ts';
import { health, installMs, told, updateProgram, waitForVerdict, well } from '../board/update.ts';
import { labImages } from '../images/images.ts';
import { settledBoard } from '../settled.ts';
import { story } from './story.ts';

/** The agent in its unit as it ships, watchdog and sandbox and all, with a real hawkBit at the other end of the cable. */

const id = 'board-of-the-lab';
const token = 'token-of-the-lab';
/** A token goes over plain http to the own machine alone. */
const origin = 'http://127.0.0.1:8088';
const agent = 'homie-update-agent.service';

describe('an emulated board', () => {
  story(
    'does what the server of its fleet asks for, and tells it how that ended',
    settledBoard,
    async (board) => {
      await using server = await FleetServer.start(board.webPort);
      const operator = new Management(server.url);
      await operator.addTargets([{ controllerId: id, securityToken: token }]);
      await startAgent(board);

      const good = await operator.assign(await upload(operator, '1.1.0'), id);
      // systemd starts it again, and it resumes.
      await until(async () => (await operator.history(id, good)).some(({ type }) => type === 'download'));
      await board.run(`systemctl kill --signal=KILL ${agent}`);
      await board.nextBoot(installMs);
      await plugIn(board);
      expect(await operator.action(id, good)).toMatchObject({ status: 'pending' });
      await waitForVerdict(board);
      await untilOver(operator, good);
      expect(await operator.action(id, good)).toEqual({ status: 'finished', detail: 'finished' });
      expect(await told(board)).toMatchObject({ version: '1.1.0', booted: 'rootfs.1', state: 'committed' });
      // The unit came along into the new slot, and is tended to there.
      expect(await board.run(`systemctl is-enabled ${agent}`)).toBe('enabled');
      expect(await board.run(`systemctl show -P ActiveState ${agent}`)).toBe('active');
      expect(await board.run(`systemctl show -P NRestarts ${agent}`)).toBe('0');
      expect(await board.run(`systemctl show -P WatchdogTimestampMonotonic ${agent}`)).toMatch(/^[1-9]/);

      const unwell = await operator.assign(await upload(operator, '1.2.0'), id);
      await board.run(
        'sed -i "s/health_deadline_seconds: .*/health_deadline_seconds: 20/" /data/config/orchestrator.yaml',
      );
      await board.nextBoot(installMs);
      await board.nextBoot(installMs);
      await plugIn(board);
      await waitForVerdict(board);
      await untilOver(operator, unwell);
      expect(await operator.action(id, unwell)).toMatchObject({ detail: 'error' });
      const messages = (await operator.history(id, unwell)).flatMap((one) => one.messages);
      expect(messages.some((message) => /^rolled back: .*not healthy/.test(message))).toBe(true);
      expect(await told(board)).toMatchObject({ version: '1.1.0', booted: 'rootfs.1', state: 'rolled-back' });
      expect(await health(board)).toBe(well);
      expect(await data(board)).toEqual(dataIn('2'));
    },
  );
});

async function startAgent(board: Board): Promise<void> {
  const lines = [
    `  fleet_url: ${origin}`,
    `  fleet_controller_id: ${id}`,
    '  fleet_target_token_file: /data/config/fleet-token',
    '  reboot: now',
  ];
  await board.run(`umask 077; echo ${token} >/data/config/fleet-token`);
  await board.run(`printf '${lines.join('\\n')}\\n' >>/data/config/orchestrator.yaml`);
  await plugIn(board);
  const { output } = await board.ask(`${updateProgram} doctor`, installMs);
  expect(output).toMatch(/ok.*fleet/);
  await board.run(`systemctl enable --now ${agent}`);
}

/** From the board's own address along its cable to the server; again in each boot. */
async function plugIn(board: Board): Promise<void> {
  await board.run(
    'systemd-run --unit=lab-cable --socket-property=ListenStream=127.0.0.1:8088 /lib/systemd/systemd-socket-proxyd 10.0.2.100:80',
  );
}

async function upload(operator: Management, version: string): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'homie-lab-fleet-'));
  try {
    return await operator.addRelease(version, await takeFromShelf(await labImages(), version, folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function untilOver(operator: Management, action: string): Promise<void> {
  await until(async () => (await operator.action(id, action)).status === 'finished');
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await Bun.sleep(500);
}
