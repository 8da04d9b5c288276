import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { update } from '../../hooks/update.ts';
import { lockFileOf, bootId as thisBoot } from '../../shared/system/places.ts';
import { tryLock } from '../../shared/system/process/lock.ts';
import { writeProgress } from '../../shared/update/install/progress.ts';
import { findAnomalies } from '../../shared/update/report/find-anomalies.ts';
import { verdictMessageOf } from '../../shared/update/report/verdict-message.ts';
import { advance, type Transaction } from '../../shared/update/transaction/transaction.ts';
import { closeTransaction, writeTransaction } from '../support/scene/by-hand.ts';
import { statusJson } from '../support/scene/rauc-status.ts';
import { Scene } from '../support/scene/scene.ts';
import { transactionAt } from '../support/scene/transactions.ts';
import { schemaNames, validatorOf } from '../support/schemas.ts';
import { honest, someBytes } from '../support/servers/file-server.ts';
import { HostileServer } from '../support/servers/hostile-server.ts';

/** What the programs print as JSON, and what docs/schema/ says of it, are the same. */

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
  scene.configure({ reserve_mib: 0 });
  scene.write('rauc-status.json', statusJson({ booted: 'rootfs.0' }));
});
afterEach(() => scene[Symbol.dispose]());

const moment = { at: new Date('2026-01-02T03:04:05Z'), bootId: 'earlier-boot' };
const sha256 = '0'.repeat(64);

/** With every fact that an update may leave. */
function fullUpdate(): Transaction {
  const reason = 'version "1.1.0" is not healthy: http: 500 from "http://localhost:8080/health"';
  return {
    ...advance(transactionAt('migrated'), 'rolled-back', moment, reason),
    backup: { path: '/data/backups/a.tar.zst', sha256 },
    baseline: { redis: { isHealthy: false, reason: 'it does not answer' } },
    dump: { path: '/data/backups/a.dump', sha256, rows: { people: 3 } },
    redis: { path: '/data/backups/a.rdb', sha256, file: 'dump.rdb' },
    migration: { at: moment.at.toISOString(), afterSteps: 2 },
    restored: { at: moment.at.toISOString(), dropped: ['rooms'] },
    images: { from: ['core:1'], to: ['core:2'] },
    stackLogs: '/data/update/logs/the-id',
    attemptsGivenBack: 1,
  };
}

async function answerOf(args: readonly string[]): Promise<unknown> {
  const { stdout, stderr } = await scene.run(['update.sh', ...args, '--json']);
  if (stdout === '') throw new Error(`no answer: ${stderr}`);
  return JSON.parse(stdout);
}

function expectToMatch(schema: string, answer: unknown): void {
  const validate = validatorOf(schema);
  validate(answer);
  expect(validate.errors ?? []).toEqual([]);
}

/** Busy, scheduled, inhibited, with windows and all anomalies. */
function makeEventful(): void {
  const full = fullUpdate();
  closeTransaction(scene.places, { ...full, id: 'first' });
  closeTransaction(scene.places, { ...full, id: 'second' });
  closeTransaction(scene.places, full);
  scene.configure({ reserve_mib: 0, windows: [{ from: '00:00', to: '24:00' }] });
  scene.write('data/update/inhibit', 'guests\nuntil: 2090-01-01T00:00:00Z\n');
  scene.write('scheduled', '(st) "reboot" 1767323045000000\n');
  scene.write('data/logs/update.log', '2026-01-02T03:04:05.000Z post-activate: Rolling back\nby hand\n');
  writeProgress(scene.places, {
    format: 1,
    pid: process.pid,
    startedAt: moment.at.toISOString(),
    source: 'https://updates.example/x.raucb',
    version: '1.1.0',
    phase: 'fetching',
    percent: 12.5,
    message: 'Fetching',
    bytes: 1,
    totalBytes: 8,
    bytesPerSecond: 1,
    secondsLeft: 7,
  });
}

/** The command, its schema, the state of the device, and how it is asked. */
const answers: [command: string, schema: string, when: string, arrange: () => void, args: string[]][] = [
  ['status', 'status', 'nothing ever ran', () => {}, ['status']],
  ['status', 'status', 'many events', makeEventful, ['status']],
  [
    'status',
    'status',
    'the transaction is damaged',
    () => scene.write('data/update/transaction.json', 'x'),
    ['status'],
  ],
  [
    'status',
    'status',
    'the running slot is unknown',
    () => scene.write('rauc-status.json', statusJson({ booted: null })),
    ['status'],
  ],
  ['history', 'history', 'nothing ever ran', () => {}, ['history']],
  ['history', 'history', 'much went on', makeEventful, ['history']],
  ['why', 'why', 'nothing ever ran', () => {}, ['why']],
  ['why', 'why', 'many events', makeEventful, ['why']],
  ['why', 'why', 'RAUC does not answer', () => scene.remove('rauc-status.json'), ['why']],
  ['doctor', 'doctor', 'much is wrong', () => {}, ['doctor']],
  ['restore', 'restore-list', 'there is no backup', () => {}, ['restore', '--list']],
  ['restore', 'restore-list', 'one is whole, one is not', makeBackups, ['restore', '--list']],
  ['repair', 'repair', 'nothing is wrong', () => {}, ['repair']],
  [
    'repair',
    'repair',
    'something is',
    () => scene.write('data/update/x.json.1.part', ''),
    ['repair', '--yes'],
  ],
];

function makeBackups(): void {
  const name = 'pre-migrate-1.0.0-1.1.0-20260102T030405Z.dump';
  scene.write(`data/backups/${name}`, 'rows');
  const sum = createHash('sha256').update('rows').digest('hex');
  scene.write(`data/backups/${name}.sha256`, `${sum}  ${name}\n`);
  scene.write('data/backups/manual-1.0.0-20260102T030405Z.tar.zst', 'torn');
}

describe('docs/schema', () => {
  test.each(answers)(
    'update.sh %s is as %s.json says when %s',
    async (_command, schema, _when, arrange, args) => {
      arrange();
      expectToMatch(schema, await answerOf(args));
    },
  );

  test('update.sh status is as it says while RAUC installs', async () => {
    scene.fake('rauc', 'echo "rauc: Already processing a different method" >&2; exit 1');
    const lock = tryLock(lockFileOf(scene.places), 'update.sh');
    try {
      expectToMatch('status', await answerOf(['status']));
      expectToMatch('why', await answerOf(['why']));
    } finally {
      if ('release' in lock) lock.release();
    }
  });

  test('every line of update.sh log is as log.json says', async () => {
    makeEventful();
    const { stdout } = await scene.run(['update.sh', 'log', '--json']);
    const lines = stdout.trim().split('\n');
    expect(lines).toHaveLength(2);
    for (const line of lines) expectToMatch('log', JSON.parse(line));
  });

  test('update.sh check is as check.json says', async () => {
    await using server = await HostileServer.start(honest(() => ({ bytes: someBytes(1000), etag: '"one"' })));
    scene.configure({ reserve_mib: 0, url: server.url });
    expectToMatch('check', await answerOf(['check']));
  });

  test('a verdict is as verdict.json says', () => {
    const full = { ...fullUpdate(), isClosed: true };
    const facts = {
      updates: [full],
      refusals: [],
      bootId: thisBoot({ HOMIE_BOOT_ID: 'x' }),
      booted: 'rootfs.1',
    };
    const anomalies = findAnomalies({ ...facts, now: new Date() });
    expect(anomalies).not.toEqual([]);
    expectToMatch('verdict', verdictMessageOf(full, '1.0.0', anomalies));
    expectToMatch('verdict', verdictMessageOf(transactionAt('committed'), undefined, []));
  });

  test('has a schema for every command that answers in JSON, and no other', () => {
    const commands = update.spec.commands.filter(({ options }) => options?.['json'] !== undefined);
    const asked = new Set([...answers.map(([command]) => command), 'log', 'check']);
    expect(commands.map(({ name }) => name ?? '').sort()).toEqual([...asked].sort());
    const used = new Set([...answers.map(([, schema]) => schema), 'log', 'check', 'verdict', 'common']);
    expect(schemaNames().sort()).toEqual([...used].sort());
  });

  test('refuses an answer that lacks any field, or has one of another type', async () => {
    writeTransaction(scene.places, transactionAt('installed'));
    const answer = JSON.parse(JSON.stringify(await answerOf(['status'])));
    const validate = validatorOf('status');
    for (const key of Object.keys(answer)) {
      const { [key]: _gone, ...without } = answer;
      expect([key, validate(without)]).toEqual([key, false]);
      expect([key, validate({ ...answer, [key]: 5 })]).toEqual([key, false]);
    }
    expect(validate({ ...answer, more: 1 })).toBe(false);
    expect(validate(answer)).toBe(true);
  });
});
