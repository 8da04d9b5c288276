import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { stateOf } from '../../shared/update/transaction/transaction.ts';
import { readHistory } from '../../shared/update/transaction/transaction-store.ts';
import { asked, BootStage } from '../support/scene/boot-stage.ts';
import { writeTransaction } from '../support/scene/by-hand.ts';
import { bootId, treeOf } from '../support/scene/scene.ts';
import { transactionAt } from '../support/scene/transactions.ts';
import { sick } from '../support/servers/health-server.ts';

setDefaultTimeout(30_000);
let stage: BootStage;
beforeEach(() => {
  stage = new BootStage();
});
afterEach(() => stage[Symbol.asyncDispose]());

const { status, isActive, markGood } = asked;

describe('post-activate, in an ordinary boot', () => {
  test('marks the slot good when it is healthy', async () => {
    stage.bootInto({ booted: 'rootfs.0' });
    const ended = await stage.postActivate();
    expect(ended.stderr.split('\n')).toEqual([
      'Waiting until all is healthy, 1 s at most',
      'Healthy, to stay so for 1 s',
      'Healthy, according to: http, unit',
      'Marking slot "rootfs.0" good',
      'Marked slot "rootfs.0" good',
      '',
    ]);
    expect(stage.distinctCalls()).toEqual([status, isActive, markGood]);
    expect(existsSync(stage.at('data/update'))).toBe(false);
    expect(existsSync(stage.at('run/released'))).toBe(false);
    expect(ended.exitCode).toBe(0);
  });

  test('says first what the boot script has to report', async () => {
    stage.bootInto({ booted: 'rootfs.0' });
    stage.write('root/proc/cmdline', 'console=ttyS0 rauc.slot=A panic=5 homie.boot=refilled\n');
    const ended = await stage.postActivate();
    expect(ended.stderr.split('\n')[0]).toBe(
      'The boot script reports: no slot had an attempt left, and all got new ones, which happens only once',
    );
    expect(stage.distinctCalls()).toEqual([status, isActive, markGood]);
    expect(ended.exitCode).toBe(0);
  });

  test('does not mark it good, and ends with 20, when it is not healthy', async () => {
    stage.bootInto({ booted: 'rootfs.0' });
    stage.health.answer = sick;
    const ended = await stage.postActivate();
    expect(ended.reason).toBe(
      'Cannot mark slot "rootfs.0" good: the application is not healthy, http: it answers 500 (no database). See "journalctl -u homie-orchestrator"',
    );
    expect(stage.distinctCalls()).toEqual([status, isActive]);
    expect(ended.exitCode).toBe(20);
  });

  test('names all that is wrong when the unit does not run either', async () => {
    stage.bootInto({ booted: 'rootfs.0' });
    stage.fake('systemctl', 'echo failed; exit 3');
    stage.health.answer = sick;
    const ended = await stage.postActivate();
    expect(ended.reason).toContain(
      'not healthy, http: it answers 500 (no database); unit: "homie-orchestrator" is not active (failed). See ',
    );
    expect(stage.distinctCalls()).toEqual([status, isActive]);
    expect(ended.exitCode).toBe(20);
  });

  test('fails when RAUC cannot mark it', async () => {
    stage.bootInto({ booted: 'rootfs.0' });
    stage.breakMarks('no fw_setenv');
    const ended = await stage.postActivate();
    expect(ended.stderr).toContain('no fw_setenv');
    expect(ended.reason).toBe('Cannot mark the booted slot good: RAUC refused or did not answer');
    expect(ended.exitCode).toBe(1);
  });

  test('marks nothing when the running slot is unknown', async () => {
    const ended = await stage.postActivate();
    expect(ended.reason).toStartWith(
      'Cannot find out which slot runs: RAUC does not answer or does not know. ',
    );
    expect(stage.calls()).toEqual([status]);
    expect(ended.exitCode).toBe(1);
  });

  test('adds a verdict to the history after an interrupted close', async () => {
    stage.bootInto({ booted: 'rootfs.1' });
    writeTransaction(stage.places, transactionAt('committed'));
    expect((await stage.postActivate()).exitCode).toBe(0);
    expect(stage.transaction().isClosed).toBe(true);
    expect(readHistory(stage.places).map(stateOf)).toEqual(['committed']);
    expect(stage.distinctCalls()).toEqual([status, isActive, markGood]);
  });

  test('refills a committed slot at once whose schema the other does not know, healthy or not', async () => {
    stage.bootInto({ booted: 'rootfs.1' });
    const committed = transactionAt('committed', { isClosed: true });
    writeTransaction(stage.places, { ...committed, migration: { at: '2026-01-02T03:04:05Z' } });
    stage.health.answer = sick;
    expect((await stage.postActivate()).exitCode).toBe(20);
    expect(stage.distinctCalls()).toEqual([status, markGood, isActive]);
  });

  test('continues without a transaction that cannot be read', async () => {
    stage.bootInto({ booted: 'rootfs.0' });
    stage.write('data/update/transaction.json', '');
    const ended = await stage.postActivate();
    expect(ended.stderr).toContain('continuing without it');
    expect(stage.read('data/update/transaction.json')).toBe('');
    expect(ended.exitCode).toBe(0);
  });

  test('ignores a key of a later version, says so, and asks the health address of the config', async () => {
    stage.bootInto({ booted: 'rootfs.0' });
    const path = 'data/config/orchestrator.yaml';
    stage.write(path, stage.read(path).replace('update:\n', 'update:\n  rehearse: auto\n'));
    const ended = await stage.postActivate();
    expect(ended.stderr).toContain('key update.rehearse is not known');
    expect(ended.stderr).not.toContain('continuing with');
    expect(stage.distinctCalls()).toEqual([status, isActive, markGood]);
    expect(ended.exitCode).toBe(0);
  });

  test('uses the default of a wrong value, says so, and keeps the rest of the config', async () => {
    stage.bootInto({ booted: 'rootfs.0' });
    const path = 'data/config/orchestrator.yaml';
    stage.write(path, stage.read(path).replace('update:\n', 'update:\n  windows: later\n  unit: a b\n'));
    const ended = await stage.postActivate();
    expect(ended.stderr).toContain('key update.windows: expected a list of windows, found "later"');
    expect(ended.stderr).toContain('key update.unit: expected the name of a systemd unit, found "a b"');
    expect(ended.stderr).toContain('continuing with its default');
    expect(stage.distinctCalls()).toEqual([status, isActive, markGood]);
    expect(ended.exitCode).toBe(0);
  });

  test('uses the defaults when the config cannot be parsed', async () => {
    stage.bootInto({ booted: 'rootfs.0' });
    stage.write('data/config/orchestrator.yaml', 'update: [');
    const ended = await stage.postActivate({}, '--dry-run');
    expect(ended.stderr).toContain('orchestrator.yaml": line 1, ');
    expect(ended.stderr).toContain('; continuing with the defaults');
    expect(ended.exitCode).toBe(0);
  });

  test('does nothing, and ends with 4, when an installed update waits for its reboot', async () => {
    stage.bootInto({ booted: 'rootfs.0', primary: 'rootfs.1' });
    writeTransaction(stage.places, transactionAt('installed', { bootId }));
    const ended = await stage.postActivate();
    expect(ended.reason).toBe('An installed update waits for its reboot, nothing to do');
    expect(stage.calls()).toEqual([status]);
    expect(stage.states()).toEqual(['preparing', 'installed']);
    expect(ended.exitCode).toBe(4);
  });
});

test.each([
  ['installed', 'rootfs.1', 'trial'],
  ['trial', 'rootfs.0', 'fallback'],
  ['installing', 'rootfs.0', 'unfinished'],
  ['rolled-back', 'rootfs.0', 'stay'],
  ['rolled-back', 'rootfs.1', 'finish-rollback'],
  ['committed', 'rootfs.1', 'normal'],
] as const)(
  'post-activate --dry-run of "%s" in %s says %s and changes nothing',
  async (state, booted, kind) => {
    stage.leaveUpdate(transactionAt(state));
    stage.bootInto({ booted });
    const before = treeOf(stage.path);
    const ended = await stage.postActivate({}, '--dry-run');
    expect(ended.reason).toStartWith(`This is a boot of the kind "${kind}": would `);
    expect(stage.calls()).toEqual([status]);
    expect(ended.exitCode).toBe(0);
    const { calls: _calls, ...after } = treeOf(stage.path);
    expect(after).toEqual(before);
  },
);
