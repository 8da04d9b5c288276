import type { Outcome } from '../../system/exit-code.ts';
import { findPlaces } from '../../system/places.ts';
import type { Values } from '../../system/terminal/arguments.ts';
import { columns } from '../../system/terminal/columns.ts';
import { paintFor } from '../../system/terminal/paint.ts';
import { print } from '../../system/terminal/print.ts';
import { contentOf, lastStep, stateOf } from '../transaction/transaction.ts';
import { readHistory } from '../transaction/transaction-store.ts';

export function tellHistory(values: Values): Outcome {
  const history = readHistory(findPlaces({ data: values.text('data') }));
  if (values.flag('json')) {
    print(1, `${JSON.stringify({ format: 1, updates: history.map(contentOf) }, undefined, 2)}\n`);
    return 'done';
  }
  const rows = history.map((transaction) => {
    const { at, state, reason } = lastStep(transaction);
    return [
      at,
      `${transaction.from.version ?? 'unknown'} → ${transaction.to.version ?? 'unknown'}`,
      state,
      reason ?? '',
    ];
  });
  if (rows.length === 0) {
    print(1, 'No update is recorded on this device yet.\n');
    return 'done';
  }
  const paint = paintFor(1);
  const lines = columns(rows).split('\n');
  const painted = history.map((transaction, index) => {
    const line = lines[index] ?? '';
    return stateOf(transaction) === 'committed' ? paint.good(line) : paint.bad(line);
  });
  print(1, `${painted.join('\n')}\n`);
  return 'done';
}
