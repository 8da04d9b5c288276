import { describe, expect, test } from 'bun:test';
import { UndoStack } from '../../../shared/system/process/undo.ts';

const eachMs = 20_000;
const unexpected = (what: string, error: unknown): never => {
  throw new Error(`${what}: ${error}`);
};

/** A stack, what its work has done so far, and a way to owe a word of it. */
function stackThatTells() {
  const undo = new UndoStack();
  const told: string[] = [];
  const owe = (what: string) => undo.owe(what, (reason) => void told.push(`${what}: ${reason}`));
  return { undo, told, owe };
}

describe('unwind()', () => {
  test('does all in reverse order, tells each the reason, and does nothing the second time', async () => {
    const { undo, told, owe } = stackThatTells();
    for (const what of ['a', 'b', 'c']) owe(what);

    await undo.unwind('too late', unexpected, eachMs);
    await undo.unwind('again', unexpected, eachMs);

    expect(told).toEqual(['c: too late', 'b: too late', 'a: too late']);
  });

  test('waits for one before it begins the next', async () => {
    const { undo, told, owe } = stackThatTells();
    owe('a');
    undo.owe('slow', async () => {
      await Bun.sleep(10);
      told.push('slow');
    });

    await undo.unwind(undefined, unexpected, eachMs);

    expect(told).toEqual(['slow', 'a: undefined']);
  });

  test('does the rest and hands on each failure when some throw, at once or later', async () => {
    const { undo, told, owe } = stackThatTells();
    owe('a');
    undo.owe('throws', () => {
      throw new Error('at once');
    });
    owe('b');
    undo.owe('rejects', () => Promise.reject(new Error('later')));
    const failures: string[] = [];

    await undo.unwind('x', (what, error) => failures.push(`${what}: ${error}`), eachMs);

    expect(told).toEqual(['b: x', 'a: x']);
    expect(failures).toEqual(['rejects: Error: later', 'throws: Error: at once']);
  });

  test('does the rest and says so when one never ends', async () => {
    const { undo, told, owe } = stackThatTells();
    owe('a');
    undo.owe('hangs', () => new Promise<never>(() => {}));
    const failures: string[] = [];

    await undo.unwind('x', (what, error) => failures.push(`${what}: ${error}`), 20);

    expect(told).toEqual(['a: x']);
    expect(failures).toEqual(['hangs: Failure: it did not end within 1 s']);
  });

  test('does what is owed while it undoes', async () => {
    const { undo, told, owe } = stackThatTells();
    undo.owe('a', () => void owe('b'));

    await undo.unwind('x', unexpected, eachMs);

    expect(told).toEqual(['b: x']);
  });
});

describe('drop()', () => {
  test('takes only its own off the stack', async () => {
    const { undo, told, owe } = stackThatTells();
    owe('same');
    owe('same').drop();
    owe('b');

    await undo.unwind('x', unexpected, eachMs);

    expect(told).toEqual(['b: x', 'same: x']);
  });
});

describe('now()', () => {
  test('does it once, early, with no reason', async () => {
    const { undo, told, owe } = stackThatTells();
    const early = owe('early');

    await early.now();
    await early.now();
    await undo.unwind('x', unexpected, eachMs);

    expect(told).toEqual(['early: undefined']);
  });

  test('does nothing when it was dropped', async () => {
    const { told, owe } = stackThatTells();
    const dropped = owe('dropped');
    dropped.drop();

    await dropped.now();

    expect(told).toEqual([]);
  });

  test('keeps it owed when it fails', async () => {
    const undo = new UndoStack();
    const reasons: unknown[] = [];
    const early = undo.owe('fails once', (reason) => {
      reasons.push(reason);
      if (reasons.length === 1) throw new Error('not yet');
    });

    await expect(early.now()).rejects.toThrow('not yet');
    await undo.unwind('x', unexpected, eachMs);

    expect(reasons).toEqual([undefined, 'x']);
  });

  test('is waited for, not begun a second time, when the program ends meanwhile', async () => {
    const undo = new UndoStack();
    const gate = Promise.withResolvers<void>();
    let runs = 0;
    const early = undo.owe('slow', async () => {
      runs += 1;
      await gate.promise;
    });

    const [first, second] = [early.now(), early.now()];
    const unwound = undo.unwind('x', unexpected, eachMs);
    gate.resolve();
    await Promise.all([first, second, unwound]);

    expect(runs).toBe(1);
  });

  test('is done again when it fails while the program ends', async () => {
    const undo = new UndoStack();
    const gate = Promise.withResolvers<void>();
    const reasons: unknown[] = [];
    const early = undo.owe('slow', async (reason) => {
      reasons.push(reason);
      if (reasons.length === 1) await gate.promise;
    });

    const first = early.now();
    const unwound = undo.unwind('x', unexpected, eachMs);
    gate.reject(new Error('cut short'));
    await expect(first).rejects.toThrow('cut short');
    await unwound;

    expect(reasons).toEqual([undefined, 'x']);
  });
});
