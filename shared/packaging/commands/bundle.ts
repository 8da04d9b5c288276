import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Outcome } from '../../system/exit-code.ts';
import { Failure } from '../../system/failure.ts';
import type { Running } from '../../system/process/program.ts';
import type { Values } from '../../system/terminal/arguments.ts';
import { print } from '../../system/terminal/print.ts';
import { programVersion } from '../../system/version.ts';
import { executableName } from '../../update/slot/program-names.ts';
import { readBoard } from '../board/board.ts';
import { makeBundle } from '../bundle/bundle.ts';
import { describeBundle } from '../bundle/bundle-report.ts';
import { buildTime } from '../bundle/manifest.ts';
import { sourceRevision } from '../bundle/revision.ts';
import { writeSbom } from '../components/write-sbom.ts';
import { mayHoldFolders, raucVersion } from '../format/rauc-version.ts';
import { findKeys } from '../pki/keys.ts';
import { project } from '../project.ts';
import { makeDemoRootfs } from '../root/rootfs.ts';
import { architectureIn } from './hooks.ts';

const compressions = ['xz', 'gzip', 'lz4', 'zstd'] as const;
const formats = ['plain', 'verity'] as const;
export const bundleChoices = { compressions, formats };

/** Packing takes minutes; a root of several GiB with xz takes an hour. */
const bundleMs = 4 * 60 * 60_000;

export function defaultBundle(version: string): string {
  return join(project.dist, `homie-orchestrator-v${version}.raucb`);
}

export async function buildBundle(values: Values, running: Running): Promise<Outcome> {
  running.allow(bundleMs);
  const { log, signal } = running;
  const board = values.text('board');
  const version = values.text('version') ?? programVersion;
  const time = buildTime();
  requirePrograms();
  const signing = signingFrom(values);
  const rauc = await raucVersion();
  const isFlat = !mayHoldFolders(rauc);
  if (isFlat) log.info(`rauc ${rauc} takes no folders in bundles: the programs lie at the top`);

  mkdirSync(project.dist, { recursive: true });
  const given = values.text('rootfs');
  const rootfs = given ?? join(project.dist, `demo-rootfs-v${version}.ext4`);
  if (given === undefined) {
    log.info('No --rootfs given: this is a demo, its root file system does not boot');
    await makeDemoRootfs(rootfs, version, time);
  }

  const output = values.text('output') ?? defaultBundle(version);
  const options = {
    ...signing,
    rootfs,
    programs: project.updateHooks,
    architecture: architectureIn(values),
    compatible: board === undefined ? undefined : readBoard(board).compatible,
    version,
    time,
    revision: await sourceRevision(),
    format: chosen(values, 'format', formats),
    compression: chosen(values, 'compress', compressions),
    isFlat,
    output,
    cache: project.cache,
    log,
    signal,
  };
  await log.step('Packing and signing', 'Packed, signed and verified', `"${output}"`, () =>
    makeBundle(options),
  );
  print(1, `${await writeSbom(options)}\n`);
  print(1, await describeBundle(options, running));
  return 'done';
}

function signingFrom(values: Values): {
  certificate: string;
  key: string;
  intermediates: string[];
  keyring: string;
} {
  const [certificate, key, keyring] = ['cert', 'key', 'keyring'].map((name) => values.text(name));
  const intermediate = values.text('intermediate');
  const intermediates = intermediate === undefined ? [] : [intermediate];
  if (certificate !== undefined && key !== undefined && keyring !== undefined) {
    return { certificate: readable(certificate), key: keyIn(key), intermediates, keyring: readable(keyring) };
  }
  if ([certificate, key].some((value) => value !== undefined)) {
    throw new Failure('Cannot sign the bundle: --cert, --key and --keyring belong together', {
      outcome: 'usage',
    });
  }
  const keys = findKeys(project.keys);
  if (keys === undefined) {
    throw new Failure('Cannot sign the bundle: there are no keys', {
      outcome: 'usage',
      advice: 'Use "bun build.ts keys" for development keys, or give --cert, --key and --keyring',
    });
  }
  return {
    certificate: keys.certificatePath,
    key: keys.keyPath,
    intermediates,
    keyring: keyring ?? keys.keyringPath,
  };
}

function keyIn(key: string): string {
  return key.startsWith('pkcs11:') ? key : readable(key);
}

function readable(path: string): string {
  if (existsSync(path) && statSync(path).isFile()) return path;
  throw new Failure(`Cannot read "${path}": no such file`, { outcome: 'usage' });
}

function requirePrograms(): void {
  const executable = join(project.updateHooks, executableName);
  if (existsSync(executable)) return;
  throw new Failure(`Cannot make a bundle: "${executable}" is not there`, {
    outcome: 'usage',
    advice: 'Use "bun build.ts hooks" first',
  });
}

function chosen<T extends string>(values: Values, name: string, choices: readonly [T, ...T[]]): T {
  const value = values.text(name) ?? choices[0];
  const choice = choices.find((candidate) => candidate === value);
  if (choice !== undefined) return choice;
  throw new Failure(`Cannot use --${name} "${value}": one of ${choices.join(', ')} was expected`, {
    outcome: 'usage',
  });
}
