import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, reasonOf } from '../../system/failure.ts';
import { command } from '../../system/process/command.ts';
import type { Log } from '../../system/terminal/log.ts';
import { layOver } from './overlay.ts';

const place = '/opt/homie_orchestrator';
const pipMs = 60 * 60_000;

/**
 * Puts the orchestrator's code into the tree, and installs its requirements.txt there with the tree's own pip: only from
 * its folder `wheels/` if it has one, which gives the same result each time, else from pip's index. Needs root.
 */
export async function layOrchestrator(
  tree: string,
  folder: string,
  log: Log,
  signal?: AbortSignal,
): Promise<void> {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new Failure(`Cannot take the orchestrator from "${folder}": no such folder`, { outcome: 'usage' });
  }
  layOver(tree, folder, place);
  if (!existsSync(join(folder, 'requirements.txt'))) return;
  const source = existsSync(join(folder, 'wheels')) ? ['--no-index', `--find-links=${place}/wheels`] : [];
  // Debian's pip refuses to install into the system's Python unless told. A variable, because focal's pip knows no such switch.
  const env = { PIP_BREAK_SYSTEM_PACKAGES: '1', PYTHONDONTWRITEBYTECODE: '1', HOME: '/root' };
  const run = command({ deadlineMs: pipMs, signal, env });
  try {
    await log.step(
      'Installing',
      'Installed',
      `what "${folder}/requirements.txt" lists`,
      () =>
        run`chroot ${tree} pip3 install --no-compile --no-cache-dir --root-user-action=ignore ${source} -r ${`${place}/requirements.txt`}`,
    );
  } catch (error) {
    throw new Failure(`Cannot install the orchestrator's requirements: ${reasonOf(error)}`, {
      cause: error,
      advice: 'Put wheels for the board beside them, in a folder "wheels", where there is no network',
    });
  }
}
