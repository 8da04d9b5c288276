import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { lockFileOf } from '../../../shared/system/places.ts';
import { holdNextBoot, holdNow } from '../../../shared/update/transaction/hold.ts';
import { type State, stateOf, type Transaction } from '../../../shared/update/transaction/transaction.ts';
import { readHistory } from '../../../shared/update/transaction/transaction-store.ts';
import { closeTransaction, takeUpdaterLock, writeTransaction } from '../../support/scene/by-hand.ts';
import { type StatusOptions, statusJson } from '../../support/scene/rauc-status.ts';
import { RecoveryStack } from '../../support/scene/recovery-stack.ts';
import { bootId, type Ended, Scene, treeOf } from '../../support/scene/scene.ts';
import { transactionAt } from '../../support/scene/transactions.ts';

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
  scene.configure({ reserve_mib: 0 });
  boot({ booted: 'rootfs.0' });
  scene.write('root/usr/lib/homie/release', 'VERSION=1.0.0\n');
});
afterEach(() => scene[Symbol.dispose]());

function boot(options: StatusOptions): void {
  scene.write('rauc-status.json', statusJson(options));
  if (options.booted === 'rootfs.1') scene.write('root/usr/lib/homie/release', 'VERSION=1.1.0\n');
}

function repair(...args: string[]): Promise<Ended> {
  return scene.run(['update.sh', 'repair', ...args]);
}

/** The calls that change a slot or a service. */
function changes(): string[] {
  return scene.calls().filter((call) => /^rauc status mark-|^systemctl (start|stop)/.test(call));
}

async function expectNothingWrong(): Promise<void> {
  const again = await repair('--yes');
  expect([again.reason, again.exitCode]).toEqual(['Nothing is wrong', 0]);
}

function inDebt(state: State): Transaction {
  const content = 'saved rows\n';
  const path = scene.write('data/backups/pre-migrate-1.0.0-1.1.0-20260102T030405Z.dump', content, 0o600);
  const sha256 = createHash('sha256').update(content).digest('hex');
  scene.write(
    'data/backups/pre-migrate-1.0.0-1.1.0-20260102T030405Z.dump.sha256',
    `${sha256}  pre-migrate-1.0.0-1.1.0-20260102T030405Z.dump\n`,
  );
  const migration = { at: '2026-01-02T03:04:05.000Z' };
  return { ...transactionAt(state), dump: { path, sha256, rows: {} }, migration };
}

describe('update.sh repair', () => {
  test('says that nothing is wrong, changes nothing and needs no --yes, when that is so', async () => {
    closeTransaction(scene.places, transactionAt('committed'));
    const before = treeOf(scene.places.data);
    const ended = await repair();
    expect(ended.stderr).toBe('Nothing is wrong\n');
    expect(treeOf(scene.places.data)).toEqual(before);
    expect(changes()).toEqual([]);
    expect(ended.exitCode).toBe(0);
    expect(JSON.parse((await repair('--json')).stdout)).toEqual({ format: 1, faults: [] });
  });

  test('sets a damaged transaction aside', async () => {
    scene.write('data/update/transaction.json', 'torn');
    const ended = await repair('--yes');
    expect(ended.exitCode).toBe(0);
    expect(ended.stderr).toContain('Found: Cannot read the transaction');
    const [aside = ''] = readdirSync(scene.at('data/update'));
    expect(aside).toStartWith('transaction.json.damaged-');
    expect(scene.read(`data/update/${aside}`)).toBe('torn');
    await expectNothingWrong();
  });

  test.each(['committed', 'failed'] as const)('closes an update that is "%s"', async (state) => {
    writeTransaction(scene.places, transactionAt(state));
    expect((await repair('--yes')).exitCode).toBe(0);
    expect(scene.transaction().isClosed).toBe(true);
    expect(readHistory(scene.places).map(stateOf)).toEqual([state]);
    expect(changes()).toEqual([]);
    await expectNothingWrong();
  });

  const cutShort: [State, string, StatusOptions, State, string[]][] = [
    ['installing', 'earlier-boot', { booted: 'rootfs.0' }, 'failed', []],
    ['installing', bootId, { booted: 'rootfs.0' }, 'failed', []],
    ['installed', bootId, { booted: 'rootfs.0' }, 'failed', []],
    ['installed', 'earlier-boot', { booted: 'rootfs.0' }, 'fallen-back', ['rauc status mark-active booted']],
    ['trial', 'earlier-boot', { booted: 'rootfs.0' }, 'fallen-back', ['rauc status mark-active booted']],
  ];
  test.each(cutShort)(
    'closes an update that is "%s" since "%s" when the old slot runs',
    async (state, since, status, verdict, marks) => {
      boot(status);
      writeTransaction(scene.places, transactionAt(state, { bootId: since }));
      expect((await repair('--yes')).exitCode).toBe(0);
      expect(scene.states().at(-1)).toBe(verdict);
      expect(scene.transaction().isClosed).toBe(true);
      expect(changes()).toEqual(marks);
      await expectNothingWrong();
    },
  );

  const underWay: [State, string, StatusOptions][] = [
    ['installed', bootId, { booted: 'rootfs.0', primary: 'rootfs.1' }],
    ['installed', 'earlier-boot', { booted: 'rootfs.1' }],
    ['trial', 'earlier-boot', { booted: 'rootfs.1' }],
  ];
  test.each(underWay)('leaves an update alone that is "%s" since "%s"', async (state, since, status) => {
    boot(status);
    writeTransaction(scene.places, transactionAt(state, { bootId: since }));
    holdNextBoot(scene.places);
    const before = treeOf(scene.at('data/update'));
    const ended = await repair('--yes');
    expect(ended.reason).toBe('Nothing is wrong');
    expect(treeOf(scene.at('data/update'))).toEqual(before);
    expect(changes()).toEqual([]);
  });

  test('pays a restore that is owed, drops the hold and starts the orchestrator', async () => {
    const stack = new RecoveryStack(scene);
    writeTransaction(scene.places, inDebt('fallen-back'));
    holdNow(scene.places);
    const ended = await repair('--yes');
    expect(ended.exitCode).toBe(0);
    expect(ended.stderr).toContain(
      'and it has changed the data. Repair makes this slot the primary one, restores',
    );
    expect(scene.read('database')).toBe('saved rows\n');
    expect(scene.transaction()).toMatchObject({ isClosed: true, restored: { dropped: [] } });
    expect(existsSync(scene.at('data/update/hold'))).toBe(false);
    expect(scene.isUnitActive).toBe(true);
    expect(stack.running).toContain('postgres');
    await expectNothingWrong();
  });

  test('continues with the rest, keeps the owed restore and ends with 1 when that restore fails', async () => {
    writeTransaction(scene.places, inDebt('failed'));
    scene.write('data/backups/manual-1.0.0-20260101T000000Z.dump.part', 'half');
    const ended = await repair('--yes');
    expect(ended.reason).toStartWith('Cannot repair 1 of 2: Cannot restore the data: there is no ');
    expect(existsSync(scene.at('data/backups/manual-1.0.0-20260101T000000Z.dump.part'))).toBe(false);
    expect(scene.transaction().isClosed).toBe(false);
    expect(ended.exitCode).toBe(1);
  });

  test('drops a stale hold, and starts what it has kept from running', async () => {
    holdNow(scene.places);
    expect((await repair('--yes')).exitCode).toBe(0);
    expect(existsSync(scene.at('data/update/hold'))).toBe(false);
    expect(changes()).toEqual(['systemctl start --no-block homie-orchestrator']);
    await expectNothingWrong();
  });

  test('removes what runs that were killed have left, and nothing else', async () => {
    const left = [
      'backups/pre-update-1.0.0-1.1.0-20260102T030405Z.tar.zst.part',
      'backups/manual-1.0.0-20260102T030405Z.dump.sha256.123.part',
      'update/transaction.json.123.part',
      'update/download/bundle.raucb.part',
      'config.restore/config/half',
    ];
    const others = [
      'backups/mine.part',
      'backups/pre-update-x.tar.zst',
      'config/x.part',
      'config.replaced-1/x',
    ];
    for (const name of [...left, ...others]) scene.write(`data/${name}`, 'x');
    expect((await repair('--yes')).exitCode).toBe(0);
    expect(left.filter((name) => existsSync(scene.at('data', name)))).toEqual([]);
    expect(others.filter((name) => !existsSync(scene.at('data', name)))).toEqual([]);
    await expectNothingWrong();
  });

  test('drops the databases that a restore has left, when the database runs', async () => {
    const stack = new RecoveryStack(scene);
    scene.write('databases', 'homie\nhomie_replaced\nhomie_restore\n');
    expect((await repair('--yes')).exitCode).toBe(0);
    expect(scene.read('databases')).toBe('homie\n');
    await expectNothingWrong();
    stack.down();
    expect((await repair()).stderr).toBe('"postgres" does not run: it is not checked\nNothing is wrong\n');
    expect(stack.switched).toEqual([]);
  });
});

describe('update.sh repair of the fallback slot', () => {
  beforeEach(() => boot({ booted: 'rootfs.0', bad: ['rootfs.1'] }));

  test('puts it back, behind the running one, when nothing was written into it', async () => {
    closeTransaction(scene.places, failedEarly());
    const ended = await repair('--yes');
    expect(ended.stderr).toContain(
      'Found: slot "rootfs.1" is out of the boot order, there is no fallback; it is whole, version "1.1.0" failed before anything was written into it. Repair puts it back',
    );
    expect(changes()).toEqual(['rauc status mark-active other', 'rauc status mark-active booted']);
    expect(ended.exitCode).toBe(0);
  });

  test('leaves it, and says so, when it may be half written', async () => {
    closeTransaction(scene.places, { ...transactionAt('installing'), isClosed: true });
    const ended = await repair();
    expect(ended.stderr).toContain('It stays; version "1.1.0" was written into it');
    expect(changes()).toEqual([]);
    expect(ended.exitCode).toBe(0);
  });

  test('makes the running slot the primary one after any failure that followed the switch', async () => {
    closeTransaction(scene.places, failedEarly());
    scene.fake(
      'rauc',
      `case "$*" in
  *mark-active*other) exit 1 ;;
  *mark-active*booted) [ -e tried ] || { touch tried; exit 1; } ;;
  *--detailed*) cat rauc-status.json ;;
esac`,
    );
    const ended = await repair('--yes');
    expect(changes()).toEqual([
      'rauc status mark-active other',
      'rauc status mark-active booted',
      'rauc status mark-active booted',
    ]);
    expect(ended.exitCode).toBe(1);
  });

  test('is done at the end of an install that RAUC stopped before it wrote', async () => {
    const file = scene.write('update.raucb', 'a bundle');
    scene.write('root/etc/rauc/system.conf', '[system]\ncompatible=jetson-nano-homie\n');
    scene.write('rauc-info.json', '{"compatible":"jetson-nano-homie","version":"1.1.0"}');
    scene.write('noted.json', JSON.stringify({ ...failedEarly(), isClosed: true }));
    scene.write(
      'rauc-install.sh',
      'mkdir -p data/update; cp noted.json data/update/transaction.json; echo "LastError: hook failed"; exit 1',
    );
    const ended = await scene.run(['update.sh', 'install', file]);
    expect(changes()).toEqual(['rauc status mark-active other', 'rauc status mark-active booted']);
    expect(ended.reason).toBe(`Cannot install "${file}": hook failed`);
    expect(ended.exitCode).toBe(1);
  });

  function failedEarly(): Transaction {
    const transaction = transactionAt('preparing');
    const [step] = transaction.steps;
    return step === undefined
      ? transaction
      : { ...transaction, steps: [step, { ...step, state: 'failed', reason: 'no space' }] };
  }
});

describe('update.sh repair, called otherwise,', () => {
  beforeEach(() => holdNextBoot(scene.places));

  test('ends with 2, changing nothing, when there is no terminal and --yes is not given', async () => {
    const before = treeOf(scene.places.data);
    const ended = await repair();
    expect(ended.reason).toBe('Cannot ask "Repair it?": there is no terminal. Add --yes to confirm');
    expect(treeOf(scene.places.data)).toEqual(before);
    expect(ended.exitCode).toBe(2);
  });

  test('--dry-run prints the plan, as text and as JSON, and changes nothing', async () => {
    const before = treeOf(scene.path);
    const ended = await repair('--dry-run', '--json');
    const wrong = '"homie-orchestrator" is held back, but no update needs it';
    expect(ended.stderr).toBe(`Found: ${wrong}. Repair drops the hold\n`);
    expect(JSON.parse(ended.stdout)).toEqual({
      format: 1,
      faults: [
        { kind: 'hold', wrong, remedy: 'drops the hold', isMendable: true, isMended: false, problem: null },
      ],
    });
    rmSync(scene.at('calls'));
    expect(treeOf(scene.path)).toEqual(before);
    expect(ended.exitCode).toBe(0);
  });

  test('does not say that nothing is wrong, and marks nothing, when RAUC cannot read the boot status', async () => {
    boot({ booted: 'rootfs.0', unknown: ['rootfs.1'] });
    const ended = await repair('--yes', '--json');
    expect(ended.stderr).toContain(
      'Found: the boot status of slot "rootfs.1" is unknown: RAUC cannot read it',
    );
    expect(JSON.parse(ended.stdout).faults).toContainEqual(
      expect.objectContaining({ kind: 'slots', isMendable: false }),
    );
    expect(changes().filter((call) => call.startsWith('rauc'))).toEqual([]);
    expect(ended.exitCode).toBe(0);
  });

  test('repairs what it can, and says what it cannot check, when RAUC does not answer', async () => {
    rmSync(scene.at('rauc-status.json'));
    const ended = await repair('--yes', '--json');
    expect(ended.stderr).toContain('Found: RAUC does not answer: the slots cannot be checked');
    expect(JSON.parse(ended.stdout).faults).toMatchObject([
      { kind: 'hold', isMended: true },
      { kind: 'slots', isMendable: false },
    ]);
    expect(existsSync(scene.at('data/update/hold'))).toBe(false);
    expect(ended.exitCode).toBe(0);
  });

  test('ends with 9 when an update runs', async () => {
    const lock = takeUpdaterLock(scene.places);
    try {
      expect((await repair('--yes')).exitCode).toBe(9);
      expect((await repair('--dry-run')).exitCode).toBe(9);
    } finally {
      lock.release();
    }
  });

  test('ends with 9 when RAUC installs for another program, and takes no lock from its hooks', async () => {
    scene.write('fail-rauc-status', 'already processing a different method\n');
    expect((await repair('--yes')).exitCode).toBe(9);
    expect(existsSync(scene.at('data/update/hold'))).toBe(true);
    expect(existsSync(lockFileOf(scene.places))).toBe(false);
  });
});
