import type { Values } from '../../system/arguments.ts';
import { columns } from '../../system/columns.ts';
import type { Outcome } from '../../system/exit-code.ts';
import { findPlaces } from '../../system/places.ts';
import { print } from '../../system/print.ts';
import { readHistory } from '../journal.ts';
import { lastStep } from '../transaction.ts';

export function tellHistory(values: Values): Outcome {
  const history = readHistory(findPlaces({ data: values.text('data') }));
  if (values.flag('json')) {
    print(1, `${JSON.stringify({ format: 1, updates: history }, undefined, 2)}\n`);
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
  print(1, rows.length === 0 ? 'No update of ours has run here yet.\n' : `${columns(rows)}\n`);
  return 'done';
}
