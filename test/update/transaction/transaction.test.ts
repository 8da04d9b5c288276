import { describe, expect, test } from 'bun:test';
import {
  advance,
  isMigrated,
  isVerdict,
  needsRestore,
  type State,
  type Transaction,
} from '../../../shared/update/transaction/transaction.ts';
import { transactionAt } from '../../support/scene/transactions.ts';

const moment = { at: new Date('2026-01-02T03:04:05Z'), bootId: 'this-boot' };
const migration = { at: '2026-01-02T03:04:05.000Z' };
const restored = { at: '2026-01-02T03:05:05.000Z', dropped: [] };

function through(states: readonly State[], facts: Partial<Transaction> = {}): Transaction {
  const start: Transaction = { ...transactionAt('installed'), ...facts };
  return states.reduce((transaction, state) => advance(transaction, state, moment), start);
}

type Row = [when: string, Transaction, owes: boolean, isMigrated: boolean];
const rows: Row[] = [
  ['nothing was migrated', through(['trial']), false, false],
  ['a trial without migration was rolled back', through(['trial', 'rolled-back']), false, false],
  ['a dump was taken and no more', through(['trial'], { dump: dump() }), false, false],
  ['a migration is under way', through(['trial'], { dump: dump(), migration }), true, false],
  ['a cut trial begins again', through(['trial', 'trial'], { migration }), true, false],
  ['a migration is whole', through(['trial', 'migrated'], { migration }), true, true],
  ['a migrated trial begins again', through(['trial', 'migrated', 'trial'], { migration }), true, true],
  [
    'a migrated update was committed',
    through(['trial', 'migrated', 'committed'], { migration }),
    false,
    true,
  ],
  [
    'a committed one is rolled back by hand',
    through(['trial', 'migrated', 'committed', 'rolled-back'], { migration }),
    false,
    true,
  ],
  [
    'a migrated trial was rolled back',
    through(['trial', 'migrated', 'rolled-back'], { migration }),
    true,
    true,
  ],
  ['the bootloader fell back', through(['trial', 'migrated', 'fallen-back'], { migration }), true, true],
  ['a cut migration failed', through(['trial', 'failed'], { migration }), true, false],
  ['the dump is back', through(['trial', 'migrated', 'rolled-back'], { migration, restored }), false, false],
  ['the dump of a cut one is back', through(['trial'], { migration, restored }), false, false],
];

describe('a transaction', () => {
  test.each(rows)('tells what it owes and has when %s', (_when, transaction, owes, is) => {
    expect(needsRestore(transaction)).toBe(owes);
    expect(isMigrated(transaction)).toBe(is);
    expect(needsRestore({ ...transaction, isClosed: true })).toBe(owes);
  });

  const states: Record<State, boolean> = {
    preparing: false,
    installing: false,
    installed: false,
    trial: false,
    migrated: false,
    committed: true,
    failed: true,
    'rolled-back': true,
    'fallen-back': true,
  };
  test('has its verdict in these states', () => {
    // Object.keys forgets that these are the table's own keys.
    for (const state of Object.keys(states) as State[]) expect(isVerdict(state)).toBe(states[state]);
  });
});

function dump(): NonNullable<Transaction['dump']> {
  return { path: '/data/backups/x.dump', sha256: 'abc', rows: { people: 2 } };
}
