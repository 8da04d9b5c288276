/** The word of a list that takes the fewest changed letters (Levenshtein's distance); the first of equals. */
export function nearestOf(word: string, known: readonly string[]): string {
  const byDistance = known.map((one) => ({ one, distance: distanceBetween(word, one) }));
  return byDistance.sort((a, b) => a.distance - b.distance)[0]?.one ?? '';
}

function distanceBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [line, letter] of [...a].entries()) {
    const next = [line + 1];
    for (const [column, other] of [...b].entries()) {
      const changed = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(changed, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
