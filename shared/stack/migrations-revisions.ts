/** Reads the revisions in alembic's output. */

export interface Revisions {
  /** The revisions of the database; empty if it was never migrated. */
  current: string[];
  /** The last revisions in the image. */
  heads: string[];
}

/**
 * `0002`, `0002 (head)`, `ae10 (sensors) (effective head)`: one per line of `alembic current` and `alembic heads`,
 * among other output of the container. Alembic allows neither spaces nor @, - and + in a revision.
 */
const revisionLine = /^([^\s@+()-]+)((?: \([^()]+\))*)$/;

export function parseCurrent(output: string): string[] {
  return revisionsIn(output, () => true);
}

/** alembic always marks a head as one. */
export function parseHeads(output: string): string[] {
  return revisionsIn(output, (marks) => / \((?:effective )?head\)/.test(marks));
}

/** A database that has all heads needs no migration, even if it has a further revision. */
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

/**
 * The last line of alembic, or of Python, which is the reason. The first generation of docker-compose adds the bare
 * exit code.
 */
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
