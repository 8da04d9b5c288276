import { existsSync, realpathSync } from 'node:fs';
import { reasonOf } from '../../system/failure.ts';
import { pathInRoot } from '../../system/files/rooted-path.ts';
import { command } from '../../system/process/command.ts';
import { bad, type Check, type Judgement, ok, warn } from './check-result.ts';

/** Checks that Docker's images are on the data partition: images pulled for the next slot must be there after the switch. */

export interface DockerFacts {
  /** Whether this slot has a compose file at all. */
  isNeeded: boolean;
  /** Where Docker keeps its images; a problem when Docker does not answer. */
  root: string | { problem: string };
  data: string;
}

const askMs = 30_000;

export const docker: Check = {
  name: 'docker',
  async run({ places, config, signal }) {
    const isNeeded = existsSync(pathInRoot(places.root, config.update.composeFile));
    const facts = { isNeeded, data: realOf(places.data) };
    if (!isNeeded) return judgeDocker({ ...facts, root: '' });
    try {
      const { stdout } = await command({
        deadlineMs: askMs,
        signal,
      })`docker info --format ${'{{.DockerRootDir}}'}`;
      return judgeDocker({ ...facts, root: realOf(stdout.trim()) });
    } catch (error) {
      signal.throwIfAborted();
      return judgeDocker({ ...facts, root: { problem: reasonOf(error) } });
    }
  },
};

export function judgeDocker({ isNeeded, root, data }: DockerFacts): Judgement {
  if (!isNeeded) return ok('this slot has no compose file: no images are fetched for an update');
  if (typeof root !== 'string')
    return bad(`it does not answer: ${root.problem}`, 'See "systemctl status docker"');
  if (root === '') return warn('it does not report where its images are stored', 'See "docker info"');
  return root === data || root.startsWith(`${data}/`)
    ? ok(`its images are stored in "${root}", on the data partition`)
    : bad(
        `its images are stored in "${root}": those of a new version are lost after the switch of slots`,
        `Set "data-root": "${data}/docker" in /etc/docker/daemon.json`,
      );
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
