import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, rmSync } from 'node:fs';
import { readHistory, writeTransaction } from '../../shared/update/journal.ts';
import { stateOf } from '../../shared/update/transaction.ts';
import { type StatusOptions, statusJson } from '../support/rauc-status.ts';
import { bootId, type Ended, Scene, type StartOptions, treeOf } from '../support/scene.ts';
import { transactionAt } from '../support/transactions.ts';

let scene: Scene;
let server: Bun.Server<undefined>;
let health: () => Response | Promise<Response>;
beforeEach(() => {
  scene = new Scene();
  health = () => new Response('ok');
  server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => health() });
  configure();
});
afterEach(async () => {
  scene[Symbol.dispose]();
  await server.stop(true);
});

function configure(): void {
  scene.configure({ health_url: `http://127.0.0.1:${server.port}/health`, health_deadline_seconds: 1 });
}

/** The slot that runs, and what it holds. */
function boot(options: StatusOptions): void {
  scene.write('rauc-status.json', statusJson(options));
  scene.write('root/usr/lib/homie/release', `VERSION=${options.booted === 'rootfs.1' ? '1.1.0' : '1.0.0'}\n`);
}

function postActivate(options: StartOptions = {}, ...args: string[]): Promise<Ended> {
  return scene.run(['post-activate', ...args], options);
}

const status = 'rauc status --detailed --output-format=json';
const markGood = 'rauc status mark-good booted';
const start = 'systemctl start --no-block homie-orchestrator';
const reboot = 'systemctl --no-block reboot';
const unhealthy = (): Response => new Response('no database', { status: 500 });

describe('post-activate, in an ordinary boot', () => {
  test('marks the slot good when it is healthy', async () => {
    boot({ booted: 'rootfs.0' });
    const ended = await postActivate();
    expect(ended.stderr.split('\n')).toEqual([
      `Waiting for "http://127.0.0.1:${server.port}/health"`,
      'Marking slot "rootfs.0" good',
      'Marked slot "rootfs.0" good',
      '',
    ]);
    expect(scene.calls()).toEqual([status, markGood]);
    expect(existsSync(scene.at('data/update'))).toBe(false);
    expect(ended.exitCode).toBe(0);
  });

  test('does not mark it good, and ends with 20, when it is not healthy', async () => {
    boot({ booted: 'rootfs.0' });
    health = unhealthy;
    const ended = await postActivate();
    expect(ended.reason).toBe(
      'Cannot mark slot "rootfs.0" good: the application is not healthy, it answers 500 (no database). See "journalctl -u homie-orchestrator"',
    );
    expect(scene.calls()).toEqual([status]);
    expect(ended.exitCode).toBe(20);
  });

  test('fails when RAUC cannot mark it', async () => {
    boot({ booted: 'rootfs.0' });
    scene.fake(
      'rauc',
      `case "$2" in --detailed) cat rauc-status.json;; *) echo "no fw_setenv" >&2; exit 1;; esac`,
    );
    const ended = await postActivate();
    expect(ended.stderr).toContain('no fw_setenv');
    expect(ended.reason).toBe('Cannot mark the booted slot good: RAUC refused or did not answer');
    expect(ended.exitCode).toBe(1);
  });

  test('changes nothing when nobody can tell which slot runs', async () => {
    const ended = await postActivate();
    expect(ended.reason).toStartWith('Cannot tell which slot runs: RAUC does not answer or does not know. ');
    expect(scene.calls()).toEqual([status]);
    expect(ended.exitCode).toBe(1);
  });

  test('puts a verdict into the history whose closing was cut short', async () => {
    boot({ booted: 'rootfs.1' });
    writeTransaction(scene.places, transactionAt('committed'));
    expect((await postActivate()).exitCode).toBe(0);
    expect(scene.transaction().isClosed).toBe(true);
    expect(readHistory(scene.places).map(stateOf)).toEqual(['committed']);
    expect(scene.calls()).toEqual([status, markGood]);
  });

  test('goes on without a transaction that nobody can read', async () => {
    boot({ booted: 'rootfs.0' });
    scene.write('data/update/transaction.json', '');
    const ended = await postActivate();
    expect(ended.stderr).toContain('going on without it');
    expect(scene.read('data/update/transaction.json')).toBe('');
    expect(ended.exitCode).toBe(0);
  });

  test('goes on with the defaults when the config is wrong', async () => {
    boot({ booted: 'rootfs.0' });
    scene.write('data/config/orchestrator.yaml', 'update:\n  helth_url: x\n');
    const ended = await postActivate({}, '--dry-run');
    expect(ended.stderr).toContain('line 2, key update.helth_url is not known');
    expect(ended.stderr).toContain('going on with the defaults');
    expect(ended.exitCode).toBe(0);
  });
});

describe('post-activate, in the boot of a new version', () => {
  beforeEach(() => {
    boot({ booted: 'rootfs.1' });
    writeTransaction(scene.places, transactionAt('installed'));
  });

  test('commits it when it is healthy', async () => {
    const ended = await postActivate();
    expect(ended.stderr.split('\n')).toEqual([
      'Trying version "1.1.0" in slot "rootfs.1"',
      'Starting "homie-orchestrator"',
      'Started "homie-orchestrator"',
      `Waiting for "http://127.0.0.1:${server.port}/health"`,
      'Marking slot "rootfs.1" good',
      'Marked slot "rootfs.1" good',
      'Committed version "1.1.0"',
      '',
    ]);
    expect(scene.calls()).toEqual([status, start, markGood]);
    expect(scene.states()).toEqual(['preparing', 'installed', 'trial', 'committed']);
    expect(scene.transaction()).toMatchObject({ isClosed: true, steps: [{}, {}, { bootId }, { bootId }] });
    expect(readHistory(scene.places)).toEqual([scene.transaction()]);
    expect(ended.exitCode).toBe(0);
  });

  test('only marks the slot good when it is run again after the commit', async () => {
    await postActivate();
    rmSync(scene.at('calls'));
    expect((await postActivate()).exitCode).toBe(0);
    expect(scene.calls()).toEqual([status, markGood]);
    expect(readHistory(scene.places)).toHaveLength(1);
  });

  test('rolls back when it is not healthy: verdict first, then the other slot, then a reboot', async () => {
    health = unhealthy;
    scene.fake(
      'rauc',
      `case "$2" in --detailed) cat rauc-status.json;; mark-active) cp data/update/transaction.json seen;; esac`,
    );
    const ended = await postActivate();
    const reason = 'version "1.1.0" is not healthy: it answers 500 (no database)';
    expect(ended.reason).toBe(`Cannot commit the update: ${reason}; rebooting into the version before it`);
    expect(scene.calls()).toEqual([status, start, 'rauc status mark-active other', reboot]);
    expect(JSON.parse(scene.read('seen'))).toMatchObject({
      isClosed: false,
      steps: [{}, {}, {}, { state: 'rolled-back', reason }],
    });
    expect(scene.transaction()).toMatchObject({ isClosed: true });
    expect(scene.states()).toEqual(['preparing', 'installed', 'trial', 'rolled-back']);
    expect(readHistory(scene.places)).toHaveLength(1);
    expect(ended.exitCode).toBe(30);
  });

  test('rolls back when the unit cannot be started', async () => {
    scene.write('fail-systemctl-start', 'Unit not found.\n');
    const ended = await postActivate();
    expect(ended.reason).toContain('Cannot start "homie-orchestrator": "systemctl" ended with 1');
    expect(scene.calls()).toEqual([status, start, 'rauc status mark-active other', reboot]);
    expect(ended.exitCode).toBe(30);
  });

  test('reboots, leaving the rollback open, when RAUC cannot carry it out', async () => {
    health = unhealthy;
    scene.fake('rauc', `case "$2" in --detailed) cat rauc-status.json;; *) exit 1;; esac`);
    const ended = await postActivate();
    expect(ended.stderr).toContain('the bootloader falls back when the attempts of this slot have run out');
    expect(scene.calls().at(-1)).toBe(reboot);
    expect(scene.states().at(-1)).toBe('rolled-back');
    expect(scene.transaction().isClosed).toBe(false);
    expect(readHistory(scene.places)).toEqual([]);
    expect(ended.exitCode).toBe(30);

    rmSync(scene.at('calls'));
    boot({ booted: 'rootfs.1' });
    scene.fake('rauc', 'cat rauc-status.json');
    const next = await postActivate({ env: { HOMIE_BOOT_ID: 'next-boot' } });
    expect(scene.calls()).toEqual([status, 'rauc status mark-active other', reboot]);
    expect(scene.states().filter((state) => state === 'rolled-back')).toHaveLength(1);
    expect(scene.transaction().isClosed).toBe(true);
    expect(readHistory(scene.places)).toHaveLength(1);
    expect(next.exitCode).toBe(30);
  });

  test('leaves the trial open when it is told to end, for the next boot to go on with', async () => {
    const asked = Promise.withResolvers<void>();
    health = () => {
      asked.resolve();
      return unhealthy();
    };
    scene.configure({ health_url: `http://127.0.0.1:${server.port}/`, health_deadline_seconds: 600 });
    const ended = await postActivate({
      whileRunning: async (process) => {
        await asked.promise;
        process.kill('SIGTERM');
      },
    });
    expect(scene.calls()).toEqual([status, start]);
    expect(scene.states()).toEqual(['preparing', 'installed', 'trial']);
    expect(scene.transaction().isClosed).toBe(false);
    expect(ended.exitCode).toBe(143);
  });

  test('goes on with a trial that power cut, in the next boot', async () => {
    writeTransaction(scene.places, transactionAt('trial'));
    expect((await postActivate()).exitCode).toBe(0);
    expect(scene.states()).toEqual(['preparing', 'trial', 'trial', 'committed']);
  });

  test('commits an install whose last step was not noted', async () => {
    writeTransaction(scene.places, transactionAt('installing'));
    expect((await postActivate()).exitCode).toBe(0);
    expect(scene.states().at(-1)).toBe('committed');
  });

  test('reboots, so that the attempts run out, when RAUC does not answer there', async () => {
    rmSync(scene.at('rauc-status.json'));
    const ended = await postActivate();
    expect(ended.reason).toBe('Cannot try the new version: RAUC does not answer in its slot, rebooting');
    expect(scene.calls()).toEqual([status, reboot]);
    expect(scene.states()).toEqual(['preparing', 'installed']);
    expect(ended.exitCode).toBe(20);
  });

  test('says so when even the reboot fails', async () => {
    health = unhealthy;
    scene.write('fail-systemctl---no-block', 'Failed to talk to init\n');
    const ended = await postActivate();
    expect(ended.reason).toBe(
      'Cannot reboot: "systemctl" ended with 1 (Failed to talk to init). Run "systemctl reboot"',
    );
    expect(scene.transaction().isClosed).toBe(true);
    expect(ended.exitCode).toBe(1);
  });
});

describe('post-activate, in the old slot after an install', () => {
  test('keeps it the primary one, and closes the update, when the bootloader fell back', async () => {
    boot({ booted: 'rootfs.0', primary: 'rootfs.1' });
    writeTransaction(scene.places, transactionAt('trial'));
    const ended = await postActivate();
    expect(ended.stderr).toContain(
      'Fell back to slot "rootfs.0": version "1.1.0" in slot "rootfs.1" did not come up',
    );
    expect(scene.calls()).toEqual([status, 'rauc status mark-active booted', markGood]);
    expect(scene.states()).toEqual(['preparing', 'trial', 'fallen-back']);
    expect(readHistory(scene.places)).toHaveLength(1);
    expect(ended.exitCode).toBe(0);
  });

  test('leaves the update open when RAUC cannot keep the slot', async () => {
    boot({ booted: 'rootfs.0', primary: 'rootfs.1' });
    writeTransaction(scene.places, transactionAt('trial'));
    scene.fake('rauc', `case "$2" in --detailed) cat rauc-status.json;; *) exit 1;; esac`);
    const ended = await postActivate();
    expect(ended.reason).toBe('Cannot mark the booted slot active: RAUC refused or did not answer');
    expect(scene.transaction().isClosed).toBe(false);
    expect(ended.exitCode).toBe(1);
  });

  test('closes an install that never finished, with how far it got', async () => {
    boot({ booted: 'rootfs.0' });
    writeTransaction(scene.places, transactionAt('installing'));
    const ended = await postActivate();
    expect(scene.calls()).toEqual([status, markGood]);
    expect(scene.transaction().steps.at(-1)).toMatchObject({
      state: 'failed',
      reason: 'it never got further than "installing"',
    });
    expect(ended.exitCode).toBe(0);
  });

  test('finishes a rollback that has got home', async () => {
    boot({ booted: 'rootfs.0' });
    writeTransaction(scene.places, transactionAt('rolled-back'));
    expect((await postActivate()).exitCode).toBe(0);
    expect(scene.calls()).toEqual([status, markGood]);
    expect(readHistory(scene.places).map(stateOf)).toEqual(['rolled-back']);
  });

  test('does nothing, and ends with 4, when an installed update waits for its reboot', async () => {
    boot({ booted: 'rootfs.0', primary: 'rootfs.1' });
    writeTransaction(scene.places, transactionAt('installed', { bootId }));
    const ended = await postActivate();
    expect(ended.reason).toBe('An installed update waits for its reboot, nothing to do');
    expect(scene.calls()).toEqual([status]);
    expect(scene.states()).toEqual(['preparing', 'installed']);
    expect(ended.exitCode).toBe(4);
  });

  test.each([
    ['installed', 'rootfs.1', 'trial'],
    ['trial', 'rootfs.0', 'fallback'],
    ['installing', 'rootfs.0', 'unfinished'],
    ['rolled-back', 'rootfs.1', 'finish-rollback'],
    ['committed', 'rootfs.1', 'normal'],
  ] as const)('--dry-run of "%s" in %s says %s and changes nothing', async (state, booted, kind) => {
    boot({ booted });
    writeTransaction(scene.places, transactionAt(state));
    const before = treeOf(scene.places.data);
    const ended = await postActivate({}, '--dry-run');
    expect(ended.reason).toStartWith(`This is a boot of the kind "${kind}": would `);
    expect(treeOf(scene.places.data)).toEqual(before);
    expect(scene.calls()).toEqual([status]);
    expect(ended.exitCode).toBe(0);
  });
});
