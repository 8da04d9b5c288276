import { command } from '../../system/process/command.ts';
import { project } from '../project.ts';

/**
 * The short git revision of the source, with `+` if files differ from it; `unknown` outside a checkout. The checkout may be
 * another user's than ours: it is the source that we run from.
 */
export async function sourceRevision(): Promise<string> {
  try {
    const run = command({ deadlineMs: 10_000, cwd: project.root });
    const { stdout } =
      await run`git -c safe.directory=${project.root} describe --always --dirty=+ --abbrev=12 --exclude=${'*'}`;
    return stdout.trim();
  } catch {
    return 'unknown';
  }
}
