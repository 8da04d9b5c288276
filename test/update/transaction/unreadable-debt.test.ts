import { describe, expect, test } from 'bun:test';
import { owesInOtherForm } from '../../../shared/update/transaction/unreadable-debt.ts';

const owing = { format: 9, steps: { of: 'later' }, migration: 'begun', isClosed: false };

describe('owesInOtherForm()', () => {
  test.each([
    ['it has migrated', owing, true],
    [
      'its steps have another form, one is no object',
      { ...owing, steps: [null, 5, { state: 'trial' }] },
      true,
    ],
    ['it has not migrated', { format: 9, steps: [] }, false],
    ['it is restored', { ...owing, restored: 1 }, false],
    ['it is closed', { ...owing, isClosed: true }, false],
    ['it is committed', { ...owing, steps: [{ state: 'committed' }] }, false],
    ['it is nothing', undefined, false],
    ['it is null', null, false],
    ['it is a text', 'migration', false],
    ['it is a list', ['migration'], false],
  ])('goes by the names of the fields when %s', (_when, content, owes) => {
    expect(owesInOtherForm(content)).toBe(owes);
  });
});
