import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { appendFileSync, mkdirSync, readdirSync } from 'node:fs';
import { Failure } from '../../../shared/system/failure.ts';
import { advance, lastStep, stateOf } from '../../../shared/update/transaction/transaction.ts';
import {
  closeTransaction,
  committedVersion,
  knownTransaction,
  readHistory,
  readTransaction,
  setDamagedAside,
  writeTransaction,
} from '../../../shared/update/transaction/transaction-store.ts';
import { unlocked } from '../../support/scene/by-hand.ts';
import { Scene } from '../../support/scene/scene.ts';
import { transactionAt } from '../../support/scene/transactions.ts';

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});
afterEach(() => scene[Symbol.dispose]());

const committed = transactionAt('committed');

describe('readTransaction()', () => {
  test('answers none when there is no file, and not even a folder', () => {
    expect(readTransaction(scene.places)).toEqual({ kind: 'none' });
  });

  test('answers what was written', () => {
    writeTransaction(unlocked(scene.places), committed);
    expect(readTransaction(scene.places)).toEqual({ kind: 'known', transaction: committed });
  });

  const damages: [string, string][] = [
    ['empty', ''],
    ['truncated', '{"format": 1, "id": "x", "st'],
    ['no transaction', '[]'],
    ['without a step', JSON.stringify({ ...committed, steps: [] })],
  ];
  test.each(damages)('answers damaged, naming the file, when it is %s', (_what, content) => {
    scene.write('data/update/transaction.json', content);
    const current = readTransaction(scene.places);
    expect(current).toEqual({
      kind: 'damaged',
      reason: expect.stringContaining(scene.at('data/update/transaction.json')),
      owes: false,
    });
    expect(knownTransaction(current)).toBeUndefined();
  });

  test('keeps a state of a later version, which is none of the known ones', () => {
    const later = JSON.stringify(transactionAt('trial')).replace('"trial"', '"rehearsed"');
    scene.write('data/update/transaction.json', later);

    const read = knownTransaction(readTransaction(scene.places));
    if (read === undefined) throw new Error('a transaction was expected');
    expect([lastStep(read).state, stateOf(read)]).toEqual(['rehearsed', 'preparing']);
    closeTransaction(unlocked(scene.places), read);
    expect(JSON.parse(scene.read('data/update/transaction.json')).steps).toEqual(JSON.parse(later).steps);
    expect(readHistory(scene.places).map((one) => lastStep(one).state)).toEqual(['rehearsed']);
  });

  test('keeps unknown fields of a later format when it is written again', () => {
    const [step] = committed.steps;
    const later = { ...committed, format: 2, lots: { of: ['news'] }, to: { ...committed.to, digest: 'abc' } };
    const steps = [{ ...step, weather: 'fine' }];
    scene.write('data/update/transaction.json', JSON.stringify({ ...later, steps }));

    const read = knownTransaction(readTransaction(scene.places));
    if (read === undefined) throw new Error('a transaction was expected');
    writeTransaction(unlocked(scene.places), advance(read, 'trial', { at: new Date(0), bootId: 'x' }));
    expect(JSON.parse(scene.read('data/update/transaction.json'))).toMatchObject({
      format: 2,
      lots: { of: ['news'] },
      to: { digest: 'abc' },
      steps: [{ weather: 'fine' }, { state: 'trial' }],
    });
  });
});

describe('writeTransaction()', () => {
  test('leaves nothing but the file', () => {
    writeTransaction(unlocked(scene.places), transactionAt('trial'));
    writeTransaction(unlocked(scene.places), committed);
    expect(readdirSync(scene.at('data/update'))).toEqual(['transaction.json']);
  });

  test('throws a Failure that names the file when it cannot be written', () => {
    scene.write('data/update', 'a file where the folder should be');
    expect(() => writeTransaction(unlocked(scene.places), committed)).toThrow(
      new Failure(
        `Cannot write the transaction "${scene.at('data/update/transaction.json')}": EEXIST: file already exists, mkdir '${scene.at('data/update')}'`,
      ),
    );
  });
});

describe('closeTransaction()', () => {
  test('puts the verdict into the history, and closes the transaction', () => {
    closeTransaction(unlocked(scene.places), committed);
    expect(scene.transaction()).toEqual({ ...committed, isClosed: true });
    expect(readHistory(scene.places)).toEqual([{ ...committed, isClosed: true }]);
  });

  test('adds one line when it is called twice', () => {
    closeTransaction(unlocked(scene.places), committed);
    closeTransaction(unlocked(scene.places), scene.transaction());
    expect(scene.read('data/update/history.jsonl').split('\n')).toHaveLength(2);
  });

  test('adds no second line when it was killed between history and transaction', () => {
    writeTransaction(unlocked(scene.places), committed);
    scene.write('data/update/history.jsonl', `${JSON.stringify({ ...committed, isClosed: true })}\n`);
    closeTransaction(unlocked(scene.places), scene.transaction());
    expect(readHistory(scene.places)).toHaveLength(1);
    expect(scene.transaction().isClosed).toBe(true);
  });

  test('throws a Failure that names the history when it cannot be written', () => {
    mkdirSync(scene.at('data/update/history.jsonl'), { recursive: true });
    expect(() => closeTransaction(unlocked(scene.places), committed)).toThrow(Failure);
    expect(() => closeTransaction(unlocked(scene.places), committed)).toThrow(
      /history\.jsonl": it is a folder/,
    );
  });
});

describe('readHistory()', () => {
  test('is empty when there is none', () => {
    expect(readHistory(scene.places)).toEqual([]);
  });

  test('passes over a torn last line, which does not take the next one with it', () => {
    closeTransaction(unlocked(scene.places), committed);
    appendFileSync(scene.at('data/update/history.jsonl'), '{"format":1,"id":"torn by a power c');
    const next = { ...transactionAt('failed'), id: 'the-next' };
    closeTransaction(unlocked(scene.places), next);
    expect(readHistory(scene.places).map(({ id }) => id)).toEqual(['the-id', 'the-next']);
  });
});

describe('committedVersion()', () => {
  test('is that of the last commit, whichever update failed after it', () => {
    const history = [
      transactionAt('committed', { version: '1.0.0' }),
      transactionAt('committed', { version: '1.1.0' }),
      transactionAt('rolled-back', { version: '1.2.0' }),
    ];
    expect(committedVersion(history)).toBe('1.1.0');
    expect(committedVersion([])).toBeUndefined();
  });
});

describe('setDamagedAside()', () => {
  test('keeps the bytes under another name', () => {
    scene.write('data/update/transaction.json', 'garbage');
    const aside = setDamagedAside(unlocked(scene.places), new Date('2026-01-02T03:04:05.678Z'));
    expect(readdirSync(scene.at('data/update'))).toEqual([
      'transaction.json.damaged-2026-01-02T03-04-05-678Z',
    ]);
    expect(aside).toStartWith(scene.at('data/update/transaction.json.damaged-'));
    expect(readTransaction(scene.places)).toEqual({ kind: 'none' });
  });
});
