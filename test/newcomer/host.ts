import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { usualPath } from '../../shared/packaging/device/host.ts';
import { project } from '../../shared/packaging/project.ts';
import { command } from '../../shared/system/process/command.ts';
import { packageSourcesOf } from '../rig/stack/base-root.ts';

/** A system that a newcomer has: a release of Debian with node and npm and nothing else, and the user who types. */

export const suites = ['bookworm', 'trixie'] as const;
export type Suite = (typeof suites)[number];

/** A user has sudo without a password, and Debian's PATH for users; a container is root as Docker has it by default. */
export const users = ['root', 'user', 'container'] as const;
export type User = (typeof users)[number];

export interface Host {
  suite: Suite;
  as: User;
}

const releases: Record<Suite, string> = { bookworm: 'Debian 12', trixie: 'Debian 13' };
const asWords: Record<User, string> = {
  root: 'root',
  user: 'a user with sudo',
  container: 'root of a plain container',
};
const rootMs = 20 * 60_000;

export function nameOf({ suite, as }: Host): string {
  return `${releases[suite]}, ${asWords[as]}`;
}

export function cloneFolder({ as }: Host): string {
  return `${homeOf(as)}/homie-rauc`;
}

export function environmentOf({ as }: Host): Record<string, string> {
  const path = as === 'user' ? '/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games' : usualPath;
  return { PATH: path, HOME: homeOf(as), LANG: 'C.UTF-8' };
}

/** Makes the root file system of the host, with a clone of the last commit. Needs root. */
export async function makeHost(root: string, host: Host, signal: AbortSignal): Promise<void> {
  const run = command({ deadlineMs: rootMs, signal });
  const packages = ['nodejs', 'npm', ...(host.as === 'user' ? ['sudo'] : [])].join(',');
  const quietly = ['--quiet', '--variant=minbase', `--include=${packages}`];
  await run`mmdebstrap ${quietly} ${host.suite} ${root} ${packageSourcesOf(host.suite, `${root}.sources`)}`;
  if (host.as === 'user') {
    await run`chroot ${root} useradd --create-home --uid 1000 --shell /bin/bash newcomer`;
    writeFileSync(join(root, 'etc/sudoers.d/newcomer'), 'newcomer ALL=(ALL) NOPASSWD: ALL\n', {
      mode: 0o440,
    });
  }
  const clone = join(root, cloneFolder(host));
  await run`git clone --quiet --no-local ${project.root} ${clone}`;
  if (host.as === 'user') await run`chown -R 1000:1000 ${clone}`;
}

function homeOf(as: User): string {
  return as === 'user' ? '/home/newcomer' : '/root';
}
