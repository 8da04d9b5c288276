import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { lockFileOf } from '../../../shared/system/places.ts';
import { tryLock } from '../../../shared/system/process/lock.ts';
import { logRefusal } from '../../../shared/update/admission/refusal-log.ts';
import { type Progress, writeProgress } from '../../../shared/update/install/progress.ts';
import { advance } from '../../../shared/update/transaction/transaction.ts';
import { closeTransaction, writeTransaction } from '../../support/scene/by-hand.ts';
import { type StatusOptions, statusJson } from '../../support/scene/rauc-status.ts';
import { bootId, type Ended, Scene, treeOf } from '../../support/scene/scene.ts';
import { transactionAt } from '../../support/scene/transactions.ts';

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
  boot({ booted: 'rootfs.0' });
  scene.write('root/usr/lib/homie/release', 'VERSION=1.0.0\n');
});
afterEach(() => scene[Symbol.dispose]());

function boot(options: StatusOptions): void {
  scene.write('rauc-status.json', statusJson(options));
}

function update(...args: string[]): Promise<Ended> {
  return scene.run(['update.sh', ...args]);
}

const quiet = { info: () => {}, warn: () => {}, error: () => {}, alsoTo: () => {}, lastLine: '' };
const moment = { at: new Date('2026-01-02T03:04:05Z'), bootId: 'earlier-boot' };
const reason = 'version "1.1.0" is not healthy: http: 500 from "http://localhost:8080/health"';

/** The state after a rollback, with the last log lines of the services. */
function leaveRollback(): void {
  const stackLogs = scene.at('data/update/logs/the-id');
  scene.write('data/update/logs/the-id/core.log', 'no database\n');
  const rolledBack = advance(transactionAt('trial'), 'rolled-back', moment, reason);
  closeTransaction(scene.places, { ...rolledBack, stackLogs });
  scene.write('data/logs/update.log', `2026-01-02T03:04:05.000Z post-activate: Rolling back: ${reason}\n`);
}

describe('update.sh why', () => {
  test('tells on one screen what runs, what failed by which check, the log, and what is next', async () => {
    leaveRollback();
    const ended = await update('why');
    expect(ended.stdout.split('\n')).toEqual([
      'Runs',
      '  version "1.0.0" in slot "rootfs.0" (A); it is the primary one.',
      'Last update',
      '  1.0.0 → 1.1.0 in slot "rootfs.1": rolled-back at 2026-01-02T03:04:05.000Z',
      '  steps: preparing → trial → rolled-back',
      `  reason: ${reason}`,
      '  check: http',
      `The end of ${scene.at('data/logs/update.log')}`,
      `  2026-01-02T03:04:05.000Z post-activate: Rolling back: ${reason}`,
      'The last log lines of each service',
      `  ${scene.at('data/update/logs/the-id/core.log')}`,
      'Next',
      '  Nothing is under way: slot "rootfs.0" stays.',
      '  If this slot fails to boot, the bootloader falls back to slot "rootfs.1".',
      '  Updates may be installed at any time.',
      '',
    ]);
    expect(ended.stdout.split('\n').length).toBeLessThan(24);
    expect(ended.exitCode).toBe(0);
  });

  test('tells the same as JSON, and writes nothing', async () => {
    leaveRollback();
    const before = treeOf(scene.path);
    const ended = await update('why', '--json');
    expect(JSON.parse(ended.stdout)).toMatchObject({
      format: 1,
      version: '1.0.0',
      booted: 'rootfs.0',
      verdict: { state: 'rolled-back', reason, check: 'http' },
      stackLogs: [scene.at('data/update/logs/the-id/core.log')],
      next: [
        'Nothing is under way: slot "rootfs.0" stays.',
        expect.stringContaining('falls back to slot "rootfs.1"'),
        'Updates may be installed at any time.',
      ],
    });
    scene.remove('calls');
    expect(treeOf(scene.path)).toEqual(before);
  });

  test('answers when RAUC does not answer, no update ever ran, and the config is wrong', async () => {
    scene.remove('rauc-status.json');
    scene.write('data/config/orchestrator.yaml', 'update: 5\n');
    const ended = await update('why');
    expect(ended.stderr).toContain('continuing with the defaults');
    expect(ended.stdout).toContain('version "1.0.0", in an unknown slot.');
    expect(ended.stdout).toContain('Cannot read the slots: RAUC does not answer.');
    expect(ended.stdout).toContain('No update is recorded on this device yet.');
    expect(ended.exitCode).toBe(0);
  });

  test('has colours on a terminal, and none with NO_COLOR', async () => {
    leaveRollback();
    const onTerminal = async (env: Record<string, string>): Promise<string> =>
      (await scene.run(['update.sh', 'why'], { isOnTerminal: true, env: { TERM: 'xterm', ...env } })).stdout;
    expect(await onTerminal({})).toContain('\x1b[31mrolled-back\x1b[0m');
    const plain = await onTerminal({ NO_COLOR: '1' });
    expect(plain).toContain('rolled-back');
    expect(plain).not.toContain('\x1b');
  });
});

describe('update.sh status', () => {
  test('shows the windows, the inhibit file, the scheduled reboot, and the anomalies', async () => {
    scene.configure({ windows: [{ from: '00:00', to: '24:00' }], time_zone: 'UTC' });
    scene.write('data/update/inhibit', 'guests\nuntil: 2090-01-01T00:00:00Z\n');
    scene.write('scheduled', '(st) "reboot" 1767323045000000\n');
    const source = 'https://user:secret@updates.example/x.raucb?token=abc';
    const refusal = {
      at: new Date().toISOString(),
      bootId,
      outcome: 'signature',
      source,
      version: null,
      reason: 'no signer',
    };
    logRefusal(scene.places, refusal, { ...quiet, step: (_a, _b, _c, work) => work() });
    expect(scene.read('data/update/refusals.jsonl')).not.toMatch(/secret|abc/);

    const text = (await update('status')).stdout.split('\n');
    expect(text.slice(2)).toEqual([
      'No update is recorded on this device yet.',
      'A reboot is scheduled for 2026-01-02T03:04:05.000Z.',
      'Updates are inhibited: guests (until 2090-01-01T00:00:00.000Z).',
      'The update window is open, and stays so.',
      'Warning: the signature of "https://***@updates.example/x.raucb?token=***" was refused (no signer).',
      '',
    ]);
    expect(JSON.parse((await update('status', '--json')).stdout)).toMatchObject({
      window: { kind: 'inside', until: null },
      inhibit: { reason: 'guests', until: '2090-01-01T00:00:00.000Z' },
      scheduled: { mode: 'reboot', at: '2026-01-02T03:04:05.000Z' },
      anomalies: [{ kind: 'signature' }],
    });
  });

  test('tells how an install that is under way stands, while RAUC answers nothing', async () => {
    writeTransaction(scene.places, transactionAt('installing', { bootId }));
    scene.fake('rauc', 'echo "rauc: Already processing a different method" >&2; exit 1');
    const lock = tryLock(lockFileOf(scene.places), 'update.sh');
    const progress: Progress = {
      format: 1,
      pid: process.pid,
      startedAt: '2026-01-02T03:04:05.000Z',
      source: '/x.raucb',
      version: '1.1.0',
      phase: 'installing',
      percent: 40,
      message: 'Copying image to rootfs.1',
    };
    writeProgress(scene.places, progress);
    try {
      const text = await update('status');
      expect(text.stdout.split('\n')).toEqual([
        'RAUC is busy with an install, and does not report the slots.',
        'Last update 1.0.0 → 1.1.0: installing at 2026-01-02T03:04:05.000Z.',
        'At work: installing 40%, Copying image to rootfs.1.',
        '',
      ]);
      expect(JSON.parse((await update('status', '--json')).stdout)).toMatchObject({
        slots: [],
        booted: null,
        progress,
      });
      expect((await update('why')).stdout).toContain(
        `update.sh (process ${process.pid}) is at work: Copying image to rootfs.1; it does not reboot`,
      );
      expect(text.exitCode).toBe(0);
    } finally {
      if ('release' in lock) lock.release();
    }
  });
});
