import { afterAll, beforeAll, describe, expect } from 'bun:test';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createKeys } from '../../shared/packaging/pki/keys.ts';
import { project } from '../../shared/packaging/project.ts';
import { suiteOf } from '../support/report/suite-report.ts';
import { runCommand } from '../support/run-command.ts';
import type { Setting } from '../support/scene/scene.ts';
import { CuttableProxy } from './cuttable-proxy.ts';
import type { FleetBoard } from './fleet-board.ts';
import { FleetStage } from './fleet-stage.ts';
import { FleetServer } from './server/fleet-server.ts';

/** The compiled agent for arm64 on the embedded device, against a real hawkBit: what that has written down is what counts. */

const { scenario: story, note } = suiteOf({ name: 'fleet/stories', least: 18, timeoutMs: 900_000 });

describe('update.sh agent', () => {
  let stage: FleetStage;
  beforeAll(async () => {
    stage = await FleetStage.open();
    note({ serverVersion: FleetServer.version });
  }, 240_000);
  afterAll(async () => await stage?.[Symbol.asyncDispose]());

  async function assigned(board: FleetBoard, options: Parameters<FleetStage['operator']['assign']>[2] = {}) {
    return await stage.operator.assign(await stage.release('1.1.0'), board.id, options);
  }

  /** The action is over at the server with success, and said so once. */
  async function expectSuccess(board: FleetBoard, action: string): Promise<void> {
    await stage.untilDetail(board, action, 'finished');
    expect(await stage.typesOf(board, action)).toMatchObject({ finished: 1 });
    expect(await stage.typesOf(board, action)).not.toHaveProperty('error');
    const messages = await stage.messages(board, action);
    expect(messages.at(-1)).toBe('committed: the new version has proved healthy');
    expect(board.state).toBe('committed');
    expect(board.device.booted).toBe('B');
  }

  async function expectFailure(board: FleetBoard, action: string, reason: RegExp): Promise<string[]> {
    await stage.untilDetail(board, action, 'error');
    const history = await stage.operator.history(board.id, action);
    expect(history.filter(({ type }) => type === 'finished')).toEqual([]);
    const said = history.filter(({ type }) => type === 'error');
    expect(said).toHaveLength(1);
    const messages = said[0]?.messages ?? [];
    expect(messages.find((message) => reason.test(message))).toBeDefined();
    return messages;
  }

  story('good: closed as a success by what the reboot has proved, not by the install', async () => {
    await using board = await stage.board();
    const action = await assigned(board);
    board.startAgent();
    await board.waitFor('the reboot', () => board.isRebootScheduled);
    expect((await stage.operator.action(board.id, action)).status).toBe('pending');
    await board.rebootAsAsked();
    expect((await stage.operator.action(board.id, action)).status).toBe('pending');
    board.startAgent();
    await expectSuccess(board, action);

    const types = (await stage.operator.history(board.id, action)).map(({ type }) => type);
    expect(types.indexOf('downloaded')).toBeGreaterThan(types.indexOf('download'));
    const attributes = await stage.operator.attributes(board.id);
    expect(attributes).toMatchObject({
      board: 'jetson-nano-homie',
      version: '1.1.0',
      'rauc.version': expect.stringMatching(/^\d/),
      'slot.rootfs.1': '1.1.0, booted',
      'update.verdict': 'committed',
    });
    expect(await stage.operator.target(board.id)).toMatchObject({ updateStatus: 'in_sync' });
  });

  story('falls back: a failure with the reason and the end of the log', async () => {
    // The gateway's token opens the door as well as the target's own.
    await using board = await stage.board();
    board.useGatewayToken(stage.server.gatewayToken);
    const action = await assigned(board);
    board.startAgent();
    await board.waitFor('the reboot', () => board.isRebootScheduled);
    await board.stopAgent();
    const boots = [];
    for (let boot = 0; boot < 4; boot += 1) boots.push((await board.device.reboot('power-cut')).booted);
    expect(boots).toEqual(['B', 'B', 'B', 'A']);
    await board.postActivate();
    board.startAgent();
    const messages = await expectFailure(board, action, /^fallen back: /);
    expect(messages.some((message) => message.includes('Fell back to slot "rootfs.0"'))).toBe(true);
    expect(await stage.operator.attributes(board.id)).toMatchObject({ 'update.verdict': 'fallen-back' });
  });

  story('unhealthy: a failure, once the version before runs again', async () => {
    await using board = await stage.board();
    const action = await assigned(board);
    board.startAgent();
    await board.waitFor('the reboot', () => board.isRebootScheduled);
    board.breakOrchestrator();
    expect(await board.boot()).toBe('B');
    board.startAgent();
    await board.waitFor('a round', () => board.said.split("Asking the fleet's server").length > 2);
    expect((await stage.operator.action(board.id, action)).status).toBe('pending');
    expect(await board.boot()).toBe('A');
    board.startAgent();
    await expectFailure(board, action, /^rolled back: .*not healthy/);
  });

  story('not for this device: refused before anything is touched', async () => {
    await using board = await stage.board();
    const bundle = await foreignBundle();
    const release = await stage.operator.addRelease('1.1.0', bundle);
    const slots = [await board.device.slotBytes('A'), await board.device.slotBytes('B')];
    const action = await stage.operator.assign(release, board.id);
    board.startAgent();
    await expectFailure(board, action, /^Cannot verify /);
    expect([await board.device.slotBytes('A'), await board.device.slotBytes('B')]).toEqual(slots);
    expect(board.hasDownload).toBe(false);
  });

  story('cancelled before the download', async () => {
    await using board = await stage.board();
    const inhibit = join(board.device.dataFolder, 'update', 'inhibit');
    mkdirSync(join(inhibit, '..'), { recursive: true });
    writeFileSync(inhibit, 'guests in the house\n');
    const action = await assigned(board);
    board.startAgent();
    await board.waitFor('the reason', async () =>
      (await stage.messages(board, action)).some((message) => message.includes('guests in the house')),
    );
    await stage.operator.cancel(board.id, action);
    await stage.untilDetail(board, action, 'canceled');
    expect(await stage.typesOf(board, action)).not.toHaveProperty('download');
    expect(board.stage).toBe('closed');
  });

  story('cancelled during the download: it ends, and nothing of it is kept', async () => {
    await using board = await stage.board({ limit_rate_kib: 1024 });
    const action = await assigned(board);
    board.startAgent();
    await board.waitFor('bytes', () => board.hasDownload);
    await stage.operator.cancel(board.id, action);
    await stage.untilDetail(board, action, 'canceled');
    await board.waitFor('the end of it', () => !board.hasDownload && board.stage === 'closed');
    expect(board.said).toContain(`Cancelled action ${action}, as the server asks`);
    expect(board.said).not.toContain('Verifying');
  });

  story(
    'the window of the device is closed: fetched, not installed; cancelled before the install',
    async () => {
      await using board = await stage.board(closedWindow());
      const action = await assigned(board);
      board.startAgent();
      await board.waitFor('the reason', async () =>
        (await stage.messages(board, action)).some((message) =>
          message.includes('the update window opens at'),
        ),
      );
      expect(await stage.typesOf(board, action)).toMatchObject({ downloaded: 1 });
      expect(board.said).not.toContain('Installing');
      await stage.operator.cancel(board.id, action);
      await stage.untilDetail(board, action, 'canceled');
      expect(board.hasDownload).toBe(false);
      expect(board.said).not.toContain('Installing');
    },
  );

  story('cancelled after the install: rejected, and the truth told in the end', async () => {
    await using board = await stage.board();
    const action = await assigned(board);
    board.startAgent();
    await board.waitFor('the reboot', () => board.isRebootScheduled);
    await stage.operator.cancel(board.id, action);
    await board.waitFor('the answer', async () => 'cancel_rejected' in (await stage.typesOf(board, action)));
    await board.rebootAsAsked();
    board.startAgent();
    await expectSuccess(board, action);
  });

  story('the maintenance window of the server: fetched before, installed when it opens', async () => {
    await using board = await stage.board();
    const opens = new Date(Date.now() + 20_000);
    const action = await assigned(board, { maintenanceWindow: windowAt(opens) });
    board.startAgent();
    await board.rebootAsAsked();
    // hawkBit's cron lines have no fractions of a second.
    expect(board.timeOf('Installing version')).toBeGreaterThanOrEqual(opens.getTime() - 1000);
    // On a busy machine the fetch alone may take until then.
    const messages = await stage.messages(board, action);
    const hasWaited = messages.some((message) => message.includes('maintenance window'));
    expect(hasWaited || board.timeOf(`The bundle of action ${action}`) > opens.getTime() - 10_000).toBe(true);
    board.startAgent();
    await expectSuccess(board, action);
  });

  story('consent: what the server only attempts waits for a yes of the device', async () => {
    await using board = await stage.board({ fleet_consent: 'ask' });
    const action = await assigned(board, { type: 'soft' });
    board.startAgent();
    await board.waitFor('the question', async () =>
      (await stage.messages(board, action)).some((message) => message.includes('update.sh consent yes')),
    );
    expect(board.hasDownload).toBe(false);
    expect((await board.run('consent', 'yes')).exitCode).toBe(0);
    await board.rebootAsAsked();
    board.startAgent();
    await expectSuccess(board, action);
  });

  story(
    'download only: fetched, and nothing more (by an agent of this machine, whose memory is measured)',
    async () => {
      await using board = await stage.board();
      const action = await assigned(board, { type: 'downloadonly' });
      board.startAgent({}, stage.workshop.nativePrograms);
      await stage.untilDetail(board, action, 'downloaded');
      note({ agentPeakMiB: board.agentPeakMiB });
      expect(board.hasDownload).toBe(true);
      expect(board.said).not.toContain('Installing');
    },
  );

  story(
    'the server stops during a download: the same action resumes after the bytes on the disk',
    async () => {
      using proxy = new CuttableProxy(stage.server.url);
      await using board = await stage.board({ limit_rate_kib: 20_480, fetch_tries: 2 }, { url: proxy.url });
      const action = await assigned(board);
      board.startAgent();
      await board.waitFor('20 MiB', () => proxy.bytes > 20 * 1024 * 1024);
      proxy.cut();
      await board.waitFor('its word', () => board.said.includes('nothing answers there'));
      expect(board.stage).toBe('fetching');
      proxy.mend();
      await board.rebootAsAsked();
      expect(board.said).toMatch(/Resuming at [\d.]+ MiB/);
      board.startAgent();
      await expectSuccess(board, action);
    },
  );

  story('the token is wrong: nothing is done; with the right one it continues by itself', async () => {
    await using board = await stage.board({}, { token: 'wrong' });
    const action = await assigned(board);
    board.startAgent();
    await board.waitFor('its word', () => board.said.includes('it answered 401, access denied'));
    expect(await stage.typesOf(board, action)).not.toHaveProperty('retrieved');
    expect(await doctorOf(board)).toMatchObject({ level: 'bad', what: expect.stringContaining('401') });
    board.writeToken(`token-of-${board.id}`);
    expect(await doctorOf(board)).toMatchObject({ level: 'ok' });
    await board.rebootAsAsked();
    board.startAgent();
    await expectSuccess(board, action);
    expect(board.said).not.toContain('token-of-');
  });

  const points = [
    'agent:fetch',
    'agent:tell-fetched',
    'agent:install',
    'agent:installed',
    'agent:tell-installed',
    'agent:reboot',
    'agent:reboot-noted',
  ];
  const pointsAfterReboot = ['agent:close', 'agent:tell-closed', 'agent:told-closed'];

  story('the agent killed at each stage: one action, told once', async () => {
    await using board = await stage.board();
    const action = await assigned(board);
    for (const point of points) {
      board.startAgent({ HOMIE_FAULT: `kill@${point}` });
      expect([point, await board.agentEnded()]).toEqual([point, 'SIGKILL']);
    }
    // Who puts the reboot off is not asked again: the agent was ended between noting and asking.
    await board.boot();
    for (const point of pointsAfterReboot) {
      board.startAgent({ HOMIE_FAULT: `kill@${point}` });
      expect([point, await board.agentEnded()]).toEqual([point, 'SIGKILL']);
    }
    board.startAgent();
    await expectSuccess(board, action);
    expect(await stage.typesOf(board, action)).toMatchObject({ downloaded: 1 });
    expect(board.said.split('Installing version').length - 1).toBe(1);
  });

  story('power cut at each stage, and while RAUC writes: the same action, one verdict', async () => {
    await using board = await stage.board();
    const action = await assigned(board);
    for (const point of points.slice(0, 3)) {
      board.startAgent({ HOMIE_FAULT: `kill@${point}` });
      expect([point, await board.agentEnded()]).toEqual([point, 'SIGKILL']);
      expect(await board.boot('power-cut')).toBe('A');
    }
    board.startAgent();
    await board.waitFor('RAUC at work', () => board.said.includes('Copying image'));
    expect(await board.boot('power-cut')).toBe('A');
    board.startAgent({ HOMIE_FAULT: 'kill@agent:installed' });
    expect(await board.agentEnded()).toBe('SIGKILL');
    expect(await board.boot('power-cut')).toBe('B');
    board.startAgent({ HOMIE_FAULT: 'kill@agent:tell-closed' });
    expect(await board.agentEnded()).toBe('SIGKILL');
    expect(await board.boot('power-cut')).toBe('B');
    board.startAgent();
    await expectSuccess(board, action);
  });

  story('report, beside a client that has closed the action before the reboot', async () => {
    await using board = await stage.board();
    const action = await assigned(board);
    await closeAsOthersDo(board, action);
    expect((await board.run('install', await stage.workshop.bundle('1.1.0'))).exitCode).toBe(4);
    board.breakOrchestrator();
    expect(await board.boot()).toBe('B');
    expect(await board.boot()).toBe('A');
    const { exitCode, stderr } = await board.run('report');
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect((await stage.operator.action(board.id, action)).detail).toBe('finished');
    expect(await stage.operator.attributes(board.id)).toMatchObject({
      'update.verdict': 'rolled-back',
      'update.version': '1.1.0',
      'update.reason': expect.stringContaining('not healthy'),
    });
  });

  story('report closes an action that is still open', async () => {
    await using board = await stage.board();
    const action = await assigned(board);
    expect((await board.run('install', await stage.workshop.bundle('1.1.0'))).exitCode).toBe(4);
    expect(await board.boot()).toBe('B');
    expect((await board.run('report')).exitCode).toBe(0);
    await stage.untilDetail(board, action, 'finished');
  });

  story('build.ts publish: twice is as good as once, and other bytes are refused', async () => {
    const { folder } = stage.workshop;
    const userFile = join(folder, 'hawkbit.user');
    writeFileSync(userFile, 'admin:admin\n', { mode: 0o600 });
    const publish = async (bundle: string) => {
      const words = ['build.ts', 'publish', bundle, '--hawkbit', stage.server.url, '--user-file', userFile];
      return await runCommand([process.execPath, ...words], { cwd: project.root });
    };
    const bundle = await stage.workshop.bundle('1.1.0');
    const first = await publish(bundle);
    expect(first).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('Uploaded') });
    const [, set, module] = /distribution set (\d+), software module (\d+)/.exec(first.stdout) ?? [];
    const [artifact] = await stage.operator.artifacts(Number(module));
    const sha256 = new Bun.CryptoHasher('sha256').update(readFileSync(bundle)).digest('hex');
    expect(artifact).toMatchObject({ providedFilename: basename(bundle), hashes: { sha256 } });
    expect(await stage.operator.metadata(Number(module))).toEqual({
      compatible: 'jetson-nano-homie',
      version: '1.1.0',
      sha256,
    });

    const again = await publish(bundle);
    expect(again).toMatchObject({ exitCode: 0, stdout: first.stdout });
    expect(again.stderr).not.toContain('Uploaded');
    const other = await publish(await foreignBundle());
    expect(other.exitCode).toBe(1);
    expect(other.stderr).toContain('is there already');
    expect(other.stderr).not.toContain('admin:');

    await using board = await stage.board();
    const action = await stage.operator.assign(Number(set), board.id, { type: 'downloadonly' });
    board.startAgent();
    await stage.untilDetail(board, action, 'downloaded');
  });

  let foreign: Promise<string> | undefined;
  /** Of the same version, signed by others; made once. */
  function foreignBundle(): Promise<string> {
    const keys = () => createKeys(join(stage.workshop.folder, 'keys-of-others'));
    foreign ??= keys().then((others) => stage.workshop.bundle('1.1.0', others));
    return foreign;
  }

  /** What it says of the fleet. */
  async function doctorOf(board: FleetBoard): Promise<unknown> {
    const { stdout } = await board.run('doctor', '--json', '--dry-run');
    const { findings } = JSON.parse(stdout) as { findings: { check: string }[] }; // docs/schema/doctor.json
    return findings.find(({ check }) => check === 'fleet');
  }

  /** As rauc-hawkbit-updater does when RAUC is done. */
  async function closeAsOthersDo(board: FleetBoard, action: string): Promise<void> {
    const answer = await fetch(
      `${stage.server.url}/DEFAULT/controller/v1/${board.id}/deploymentBase/${action}/feedback`,
      {
        method: 'POST',
        headers: { Authorization: `TargetToken token-of-${board.id}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({
          id: action,
          status: {
            execution: 'closed',
            result: { finished: 'success' },
            details: ['Software bundle installed'],
          },
        }),
      },
    );
    expect(answer.status).toBe(200);
  }
});

/** One that is open at another time of the day. */
function closedWindow(): Record<string, Setting> {
  const hour = (new Date().getUTCHours() + 12) % 24;
  const two = (number: number) => String(number).padStart(2, '0');
  return { time_zone: 'UTC', windows: [{ from: `${two(hour)}:00`, to: `${two(hour)}:30` }] };
}

/** For hawkBit: a cron line that is met once, in UTC, and ten minutes from then. */
function windowAt(opens: Date) {
  const fields = [
    opens.getUTCSeconds(),
    opens.getUTCMinutes(),
    opens.getUTCHours(),
    opens.getUTCDate(),
    opens.getUTCMonth() + 1,
    '?',
    opens.getUTCFullYear(),
  ];
  return { schedule: fields.join(' '), duration: '00:10:00', timezone: '+00:00' };
}
