import { spawnSync } from 'node:child_process';
import { isRoot } from '../support/privileges.ts';

/** Tests mount file systems and use loop devices: a user with sudo runs them as root, as `npm start` does. */

/** What a run is told by its environment, which sudo does not hand on by itself. */
const handedOn = /^(HOMIE_\w+|CI|TMPDIR|https?_proxy|no_proxy)$/i;

/** Runs the same command through sudo and returns its exit code; undefined for root, and where it cannot or must not be. */
export function runThroughSudo(): number | undefined {
  if (isRoot || process.env['HOMIE_MAY_SKIP'] === '1' || !hasSudo()) return undefined;
  const names = Object.keys(process.env).filter((name) => handedOn.test(name));
  const { status } = spawnSync(
    'sudo',
    [`--preserve-env=${names.join(',')}`, '--', process.execPath, ...process.argv.slice(1)],
    { stdio: 'inherit' },
  );
  return status ?? 1;
}

/** Without a terminal only where sudo asks for no password. */
function hasSudo(): boolean {
  if (Bun.which('sudo') === null) return false;
  return process.stdin.isTTY || spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0;
}
