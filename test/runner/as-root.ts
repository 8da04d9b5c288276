import { spawnSync } from 'node:child_process';
import { handedToRoot } from '../../shared/packaging/commands/as-root.ts';
import { isRoot } from '../support/privileges.ts';

/** Tests mount file systems and use loop devices: a user with sudo runs them as root, as `npm start` does. */

/** Runs the same command through sudo and returns its exit code; undefined for root, and where it cannot or must not be. */
export function runThroughSudo(): number | undefined {
  if (isRoot || process.env['HOMIE_MAY_SKIP'] === '1' || !hasSudo()) return undefined;
  const { status } = spawnSync(
    'sudo',
    [`--preserve-env=${handedToRoot().join(',')}`, '--', process.execPath, ...process.argv.slice(1)],
    { stdio: 'inherit' },
  );
  return status ?? 1;
}

/** Without a terminal only where sudo asks for no password. */
function hasSudo(): boolean {
  if (Bun.which('sudo') === null) return false;
  return process.stdin.isTTY || spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0;
}
