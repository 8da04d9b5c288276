import type { RowCounts } from './database-facts.ts';

/** Lists the rows that a restore removes or brings back, one line per table: `orders: 3 rows more`. */
export function describeDropped(before: RowCounts, restored: RowCounts): string[] {
  const tables = [...new Set([...Object.keys(before), ...Object.keys(restored)])].sort();
  return tables.flatMap((table) => describeTable(table, before[table], restored[table]) ?? []);
}

function describeTable(
  table: string,
  before: number | undefined,
  restored: number | undefined,
): string | undefined {
  if (before === restored) return undefined;
  if (restored === undefined) return `${table}: a new table with ${rows(before ?? 0)}`;
  if (before === undefined) return `${table}: the table was gone, with ${rows(restored)}`;
  return before > restored
    ? `${table}: ${rows(before - restored)} more`
    : `${table}: ${rows(restored - before)} fewer`;
}

function rows(count: number): string {
  return count === 1 ? '1 row' : `${count} rows`;
}
