import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import semver from 'semver';
import type { Outcome } from '../../system/exit-code.ts';
import { Failure } from '../../system/failure.ts';
import type { Running } from '../../system/process/program.ts';
import type { OptionSpec, Values } from '../../system/terminal/arguments.ts';
import { print } from '../../system/terminal/print.ts';
import { programVersion } from '../../system/version.ts';
import { readBoard } from '../board/board.ts';
import { buildTime } from '../bundle/manifest.ts';
import { findKeys } from '../pki/keys.ts';
import { project } from '../project.ts';
import { requireProgramsFor } from '../root/programs.ts';
import { makeRoot, type RootOptions } from '../root/root.ts';
import { suiteNamed } from '../root/suite.ts';
import { isRoot, runAsRoot } from './as-root.ts';

/** Long enough to download the packages over a slow line and to run their scripts in emulation. */
const rootfsMs = 2 * 60 * 60_000;

export const rootfsOptions = {
  board: { type: 'string', describe: 'What it boots on: a folder in bundle-skeleton/boards/', value: 'NAME' },
  version: { type: 'string', describe: 'A semantic version, else that of package.json', value: 'VERSION' },
  suite: { type: 'string', describe: 'The release of Debian or Ubuntu', default: 'bookworm', value: 'NAME' },
  mirror: {
    type: 'string',
    describe: 'Its address, or a sources.list; else the usual one',
    value: 'URL|FILE',
  },
  components: { type: 'string', describe: "Else the suite's usual ones", value: 'WORDS' },
  packages: { type: 'string', describe: 'More of its packages, with commas between', value: 'NAMES' },
  debs: { type: 'string', describe: 'A folder of further .deb files', value: 'DIR' },
  kernel: { type: 'string', describe: "The board's boot/ and lib/modules/, from its BSP", value: 'DIR' },
  orchestrator: { type: 'string', describe: 'Its code, for /opt/homie_orchestrator', value: 'DIR' },
  overlay: { type: 'string', describe: 'Laid over all the rest, as files of root', value: 'DIR' },
  'without-stack': { type: 'boolean', describe: "Without Docker and the guide's other packages" },
  keyring: { type: 'string', describe: 'What the device trusts, else .keys/keyring.pem', value: 'PEM' },
  'size-mib': { type: 'string', describe: 'Of the file system, else fitted to its content', value: 'MIB' },
  fresh: { type: 'boolean', describe: 'Fetch the packages again' },
  output: { type: 'string', describe: 'Else dist/rootfs-<board>-v<version>.ext4', value: 'FILE' },
} satisfies Record<string, OptionSpec>;

export async function buildRootfs(values: Values, running: Running): Promise<Outcome> {
  running.allow(rootfsMs);
  const options = rootOptionsFrom(values, running);
  if (!isRoot()) {
    await runAsRoot('make a root file system', 'owners, chroot and mounts');
    return 'done';
  }
  mkdirSync(project.dist, { recursive: true });
  await makeRoot(options);
  print(1, `${options.output}\n`);
  return 'done';
}

/** Checks all options before anything is downloaded. Throws a usage Failure. */
function rootOptionsFrom(values: Values, { log, signal }: Running): RootOptions {
  const board = readBoard(required(values, 'board'));
  const version = values.text('version') ?? programVersion;
  if (semver.valid(version) === null) {
    throw new Failure(`Cannot make version "${version}": it is not a semantic version`, { outcome: 'usage' });
  }
  for (const name of ['kernel', 'orchestrator', 'overlay', 'debs']) requireThere(values, name);
  requireProgramsFor(project.updateHooks, 'arm64');
  return {
    board,
    version,
    suite: suiteNamed(values.text('suite') ?? 'bookworm', values.text('components')),
    architecture: 'arm64',
    mirror: values.text('mirror'),
    debs: pathIn(values, 'debs'),
    packages: (values.text('packages') ?? '').split(',').filter((name) => name !== ''),
    hasStack: !values.flag('without-stack'),
    kernel: pathIn(values, 'kernel'),
    orchestrator: pathIn(values, 'orchestrator'),
    overlay: pathIn(values, 'overlay'),
    keyring: keyringIn(values),
    programs: project.updateHooks,
    sizeMiB: mibIn(values, 'size-mib'),
    time: buildTime(),
    isFresh: values.flag('fresh'),
    output: pathIn(values, 'output') ?? join(project.dist, `rootfs-${board.name}-v${version}.ext4`),
    cache: project.cache,
    log,
    signal,
  };
}

export function required(values: Values, name: string): string {
  const value = values.text(name);
  if (value !== undefined) return value;
  throw new Failure(`Cannot run the command without --${name}`, {
    outcome: 'usage',
    advice: 'See --help',
  });
}

export function mibIn(values: Values, name: string): number | undefined {
  const text = values.text(name);
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new Failure(`Cannot use --${name} "${text}": a number of MiB was expected`, { outcome: 'usage' });
}

/** Makes the path absolute, because tools run in other folders. */
function pathIn(values: Values, name: string): string | undefined {
  const path = values.text(name);
  return path === undefined ? undefined : resolve(path);
}

function requireThere(values: Values, name: string): void {
  const path = values.text(name);
  if (path === undefined || existsSync(path)) return;
  throw new Failure(`Cannot use --${name} "${path}": no such folder`, { outcome: 'usage' });
}

function keyringIn(values: Values): string {
  const keyring = values.text('keyring') ?? findKeys(project.keys)?.keyringPath;
  if (keyring !== undefined) return keyring;
  throw new Failure('Cannot make a root file system: there is no keyring', {
    outcome: 'usage',
    advice: 'Use "bun build.ts keys" for development keys, or give --keyring',
  });
}
