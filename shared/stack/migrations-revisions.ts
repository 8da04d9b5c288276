/** What alembic says of revisions. */

export interface Revisions {
  /** Of the database; empty where it was never migrated. */
  current: string[];
  /** What the image brings. */
  heads: string[];
}

/**
 * `0002`, `0002 (head)`, `ae10 (sensors) (effective head)`: one a line of `alembic current` and `alembic heads`, among
 * whatever else the container prints. Alembic allows neither spaces nor @, - and + in a revision.
 */
const revisionLine = /^([^\s@+()-]+)((?: \([^()]+\))*)$/;

export function parseCurrent(output: string): string[] {
  return revisionsIn(output, () => true);
}

/** A head always says that it is one. */
export function parseHeads(output: string): string[] {
  return revisionsIn(output, (marks) => / \((?:effective )?head\)/.test(marks));
}

/** A database with a revision more than the heads has nothing to migrate to. */
export function needsMigration({ current, heads }: Revisions): boolean {
  return heads.some((head) => !current.includes(head));
}

function revisionsIn(output: string, accepts: (marks: string) => boolean): string[] {
  const found = output.split(/\r?\n/).flatMap((line) => {
    const [, revision, marks = ''] = revisionLine.exec(line.trim()) ?? [];
    return revision !== undefined && accepts(marks) ? [revision] : [];
  });
  return [...new Set(found)].sort();
}

/** What alembic, or Python for it, has said last: the reason. The first docker-compose adds the bare exit code. */
export function lastWordsOf(output: string): string | undefined {
  const last = output
    .split('\n')
    .map((line) => line.trim())
    .findLast(
      (line) =>
        line !== '' && !/^(\d+|ERROR: \d+|exit status \d+)$/.test(line) && !/^Creating \S+ \.\.\./.test(line),
    );
  return last?.replace(/^FAILED: /, '');
}
