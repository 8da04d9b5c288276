import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { Failure } from '../../../shared/system/failure.ts';
import type { Log } from '../../../shared/system/terminal/log.ts';
import { stateOf } from '../../../shared/update/transaction/transaction.ts';
import { readHistory } from '../../../shared/update/transaction/transaction-store.ts';
import { TransactionWriter } from '../../../shared/update/transaction/transaction-writer.ts';
import { unlocked, writeTransaction } from '../../support/scene/by-hand.ts';
import { Scene } from '../../support/scene/scene.ts';
import { transactionAt } from '../../support/scene/transactions.ts';

let scene: Scene;
let lines: string[];
beforeEach(() => {
  scene = new Scene();
  lines = [];
});
afterEach(() => scene[Symbol.dispose]());

const log: Log = {
  info: (line) => lines.push(line),
  warn: (line) => lines.push(line),
  error: (line) => lines.push(line),
  step: (_doing, _done, _thing, work) => work(),
  alsoTo: () => {},
  get lastLine() {
    return lines.at(-1) ?? '';
  },
};
const from = { version: '1.0.0', slot: null };
const migration = { at: '2026-01-02T03:04:05.000Z' };
const to = { version: '1.1.0', slot: 'rootfs.1' };

function open(): TransactionWriter {
  return TransactionWriter.open(unlocked(scene.places), from, to, log);
}

describe('UpdateRecord', () => {
  test('has each step on the disk before it continues', () => {
    const record = open();
    expect(scene.states()).toEqual(['preparing']);
    expect(scene.transaction()).toMatchObject({ format: 1, from, to, isClosed: false });
    record.note({ backup: { path: '/data/backups/x', sha256: 'abc' } });
    record.advance('installing');
    expect(scene.states()).toEqual(['preparing', 'installing']);
    expect(scene.transaction().backup).toEqual({ path: '/data/backups/x', sha256: 'abc' });
    expect(readHistory(scene.places)).toEqual([]);
    record.close('failed', 'no luck');
    expect(scene.transaction()).toMatchObject({
      isClosed: true,
      steps: [{}, {}, { state: 'failed', reason: 'no luck', slot: 'rootfs.1', version: '1.1.0' }],
    });
    expect(readHistory(scene.places)).toEqual([scene.transaction()]);
  });

  test('open() takes a lock, and not the places alone', () => {
    // @ts-expect-error: what is decided without the lock may be out of date when it is written.
    expect(() => TransactionWriter.open(scene.places, from, to, log)).toThrow();
  });

  test('open() leaves a closed transaction alone, and its history', () => {
    open().close('failed', 'no luck');
    open();
    expect(scene.states()).toEqual(['preparing']);
    expect(readHistory(scene.places).map(stateOf)).toEqual(['failed']);
    expect(lines).toEqual([]);
  });

  test.each(['preparing', 'installing'] as const)('open() closes what stopped at "%s" as failed', (state) => {
    writeTransaction(scene.places, transactionAt(state));
    open();
    expect(readHistory(scene.places)[0]?.steps.at(-1)).toMatchObject({
      state: 'failed',
      reason: `it never got further than "${state}"`,
    });
    expect(scene.states()).toEqual(['preparing']);
    expect(lines.at(-1)).toContain('The update to "1.1.0" before this one failed');
  });

  test('open() says that an installed update was replaced before its reboot', () => {
    writeTransaction(scene.places, transactionAt('installed', { version: '1.0.5' }));
    open();
    expect(readHistory(scene.places)[0]?.steps.at(-1)?.reason).toBe('replaced by "1.1.0" before its reboot');
  });

  test.each(['committed', 'rolled-back', 'fallen-back', 'failed'] as const)(
    'open() keeps the verdict "%s" after an interrupted close',
    (state) => {
      writeTransaction(scene.places, transactionAt(state));
      open();
      expect(readHistory(scene.places).map(stateOf)).toEqual([state]);
      expect(lines).toEqual([]);
    },
  );

  test('open() refuses, and changes nothing, when the update before owes a restore', () => {
    for (const state of ['trial', 'migrated', 'failed', 'rolled-back', 'fallen-back'] as const) {
      const owing = { ...transactionAt(state), migration };
      writeTransaction(scene.places, owing);
      expect(open).toThrow(
        'Cannot begin the update to "1.1.0": the data that the update to "1.1.0" changed has not been restored yet',
      );
      expect(scene.transaction()).toEqual(owing);
    }
    expect(readHistory(scene.places)).toEqual([]);
  });

  test('finish() closes a verdict only when its debt is paid', () => {
    writeTransaction(scene.places, { ...transactionAt('rolled-back'), migration });
    const record = TransactionWriter.resume(unlocked(scene.places), scene.transaction());
    record.finish();
    expect(scene.transaction().isClosed).toBe(false);
    expect(readHistory(scene.places)).toEqual([]);
    record.note({ restored: { at: '2026-01-02T03:05:05.000Z', dropped: [] } });
    record.finish();
    expect(scene.transaction().isClosed).toBe(true);
    expect(readHistory(scene.places)).toEqual([scene.transaction()]);
  });

  test('close() leaves a failed update open that owes a restore, and closes a committed one that migrated', () => {
    for (const [state, isClosed] of [
      ['failed', false],
      ['committed', true],
    ] as const) {
      writeTransaction(scene.places, { ...transactionAt('migrated'), migration });
      TransactionWriter.resume(unlocked(scene.places), scene.transaction()).close(state);
      expect(scene.transaction().isClosed).toBe(isClosed);
      expect(scene.states().at(-1)).toBe(state);
    }
    expect(readHistory(scene.places).map(stateOf)).toEqual(['committed']);
  });

  test('note() takes a fact away that is undefined, and keeps the others', () => {
    writeTransaction(scene.places, { ...transactionAt('trial'), migration, stackLogs: '/data/x' });
    TransactionWriter.resume(unlocked(scene.places), scene.transaction()).note({ migration: undefined });
    expect(scene.transaction()).toEqual({ ...transactionAt('trial'), stackLogs: '/data/x' });
  });

  test('open() keeps a damaged transaction aside, and says where', () => {
    scene.write('data/update/transaction.json', '');
    open();
    expect(scene.states()).toEqual(['preparing']);
    const aside = readdirSync(scene.at('data/update')).filter((name) => name.includes('.damaged-'));
    expect(aside).toHaveLength(1);
    expect(lines.at(-1)).toBe(`It is kept as "${scene.at(`data/update/${aside[0]}`)}"`);
  });

  test('close() is finished by the next run after an interruption at any write', () => {
    open().close('committed');
    const closed = scene.transaction();
    for (const isInHistory of [false, true]) {
      writeTransaction(scene.places, { ...closed, isClosed: false });
      scene.write('data/update/history.jsonl', isInHistory ? `${JSON.stringify(closed)}\n` : '');
      TransactionWriter.resume(unlocked(scene.places), scene.transaction()).finish();
      expect(scene.transaction()).toEqual(closed);
      expect(readHistory(scene.places)).toEqual([closed]);
    }
  });

  test('advance() opens a closed transaction again, whose new verdict gets a line of its own', () => {
    open().close('committed');
    const record = TransactionWriter.resume(unlocked(scene.places), scene.transaction());
    record.advance('rolled-back', 'an operator asked for it');
    expect(scene.transaction().isClosed).toBe(false);
    record.finish();
    expect(readHistory(scene.places).map(stateOf)).toEqual(['committed', 'rolled-back']);
  });

  test('failUnlessDone() closes as failed with the reason when no step was made', () => {
    open().failUnlessDone(new Failure('Cannot stop "homie": no luck'));
    expect(scene.transaction().steps.at(-1)).toMatchObject({
      state: 'failed',
      reason: 'Cannot stop "homie": no luck',
    });
    expect(readHistory(scene.places)).toHaveLength(1);
  });

  test('failUnlessDone() does nothing when a step was made', () => {
    const record = open();
    record.advance('installing');
    record.failUnlessDone(new Failure('too late'));
    expect(scene.states()).toEqual(['preparing', 'installing']);
  });
});
