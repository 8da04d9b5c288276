import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../system/failure.ts';
import type { Environment } from './booted-system.ts';
import { requireTool } from './host.ts';

/** Stand-ins for systemd on a machine where it is not process 1: commands that really start and stop services. */

export interface ServiceOptions {
  /** `start` waits until the service has ended, and fails if the service failed. */
  oneshot?: boolean;
}

export function installStandIns(binFolder: string, systemConf: string): void {
  const source = join(import.meta.dir, 'stand-ins');
  for (const name of readdirSync(source)) {
    copyFileSync(join(source, name), join(binFolder, name));
    chmodSync(join(binFolder, name), 0o755);
  }
  // On a board RAUC finds its configuration at the default path; here it needs --conf.
  const rauc = requireTool('rauc', 'rauc');
  writeFileSync(join(binFolder, 'rauc'), `#!/bin/sh\nexec ${rauc} --conf=${systemConf} "$@"\n`, {
    mode: 0o755,
  });
}

/** Removes the state of the last boot; the units themselves stay, as they do in /etc. */
export function resetUnits(unitsFolder: string, environment: Environment): void {
  rmSync(join(unitsFolder, 'state'), { recursive: true, force: true });
  mkdirSync(join(unitsFolder, 'state'), { recursive: true });
  const unusable = Object.entries(environment).find(([name, value]) => `${name}${value}`.includes('\n'));
  if (unusable !== undefined)
    throw new Failure(`Cannot give services the variable "${unusable[0]}": it has more than one line`);
  const lines = Object.entries(environment).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(join(unitsFolder, 'environment'), lines.join(''));
}

export function writeService(
  unitsFolder: string,
  name: string,
  argv: readonly string[],
  options: ServiceOptions = {},
): void {
  const unit = name.replace(/\.service$/, '');
  if (!/^[\w@:.-]+$/.test(unit) || argv.length === 0)
    throw new Failure(`Cannot add the service "${name}": it needs a plain name and a command line`);
  writeFileSync(join(unitsFolder, `${unit}.exec`), `${argv.map(quoted).join(' ')}\n`);
  if (options.oneshot === true) writeFileSync(join(unitsFolder, `${unit}.oneshot`), '');
  else rmSync(join(unitsFolder, `${unit}.oneshot`), { force: true });
}

export function isRebootRequested(unitsFolder: string): boolean {
  return existsSync(join(unitsFolder, 'state', 'reboot-requested'));
}

function quoted(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
