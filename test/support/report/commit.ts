import { spawnSync } from 'node:child_process';
import { project } from '../../../shared/packaging/project.ts';

/** What is tested. */
export interface Tested {
  /** Unknown in a checkout without git, as in an archive of the sources. */
  commit: string;
  /** Whether files differ from that commit, or are not part of it. */
  isDirty: boolean;
}

const dirty = '-dirty';

/** Of this checkout; or `HOMIE_COMMIT`, as a run hands it to its parts: a hash, with "-dirty" behind it where files differ. */
export function readTested(): Tested {
  const given = process.env['HOMIE_COMMIT'];
  if (given !== undefined) return { commit: given.replace(dirty, ''), isDirty: given.endsWith(dirty) };
  const commit = git('rev-parse', 'HEAD');
  const changes = git('status', '--porcelain');
  return { commit: commit ?? 'unknown', isDirty: changes !== '' };
}

/** For `HOMIE_COMMIT`. */
export function formatTested({ commit, isDirty }: Tested): string {
  return isDirty ? `${commit}${dirty}` : commit;
}

/** The clone may be another user's, and asking changes nothing in it. */
const asking = ['--no-optional-locks', '-c', `safe.directory=${project.root}`];

/** What git says of this checkout; undefined where it does not know. */
export function git(...words: string[]): string | undefined {
  const { stdout, status } = spawnSync('git', [...asking, ...words], { cwd: project.root, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}
