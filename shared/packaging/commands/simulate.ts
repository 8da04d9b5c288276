import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Outcome } from '../../system/exit-code.ts';
import { Failure } from '../../system/failure.ts';
import type { Running } from '../../system/process/program.ts';
import type { Values } from '../../system/terminal/arguments.ts';
import { print } from '../../system/terminal/print.ts';
import { programVersion } from '../../system/version.ts';
import { createDevice } from '../device/device.ts';
import { clearDevice } from '../device/leftovers.ts';
import type { EmbeddedDevice } from '../device/running-device.ts';
import { findKeys } from '../pki/keys.ts';
import { project } from '../project.ts';
import { makeDemoRootfs } from '../root/rootfs.ts';
import { bootAndDecide, installOnDevice, startOrchestrator } from '../simulator/simulation.ts';
import { isRoot, runAsRoot } from './as-root.ts';
import { defaultBundle } from './bundle.ts';

const simulationMs = 15 * 60_000;
/** The version on the embedded device before the install: older than any version that is built here. */
const factoryVersion = '0.0.1';

export async function simulate(values: Values, running: Running): Promise<Outcome> {
  const end = values.text('end');
  if (end !== undefined) return await endKept(resolve(end));
  const bundle = bundleIn(values);
  const keyringPath = keyringIn(values);
  if (!isRoot()) {
    await runAsRoot('simulate an install', 'loop devices and mounts', wordsOf(values));
    return 'done';
  }
  running.allow(simulationMs);
  const { undo, signal } = running;

  const folder = mkdtempSync(join(tmpdir(), 'homie-device-'));
  const rootfsImage = `${folder}.ext4`;
  undo.owe('remove the factory image', () => rmSync(rootfsImage, { force: true }));
  await makeDemoRootfs(rootfsImage, factoryVersion, new Date());
  const traceFile = join(folder, 'trace.jsonl');
  const clear = undo.owe('take the embedded device away', () => clearDevice(folder));
  const environment = { HOMIE_TRACE: traceFile };
  const device = await createDevice({ folder, keyringPath, rootfsImage, environment, signal });
  const simulation = { device, bundle, traceFile, tell: (text: string) => print(1, `${text}\n`) };
  await startOrchestrator(device);

  await installOnDevice(simulation);
  await bootAndDecide(simulation);
  if (values.flag('keep')) {
    clear.drop();
    keep(device);
  }
  return 'done';
}

/** `start` runs this command, too, and must not build again as root. */
function wordsOf(values: Values): string[] {
  const options = ['bundle', 'keyring'].flatMap((name) => {
    const value = values.text(name);
    return value === undefined ? [] : [`--${name}`, value];
  });
  return ['simulate', ...options, ...(values.flag('keep') ? ['--keep'] : [])];
}

function bundleIn(values: Values): string {
  const bundle = resolve(values.text('bundle') ?? defaultBundle(programVersion));
  if (existsSync(bundle)) return bundle;
  throw new Failure(`Cannot simulate an install of "${bundle}": no such file`, {
    outcome: 'usage',
    advice: 'Use "bun build.ts bundle" first',
  });
}

function keyringIn(values: Values): string {
  const keyring = values.text('keyring') ?? findKeys(project.keys)?.keyringPath;
  if (keyring !== undefined && existsSync(keyring)) return resolve(keyring);
  throw new Failure('Cannot simulate an install: there is no keyring', {
    outcome: 'usage',
    advice: 'Use "bun build.ts keys", or give --keyring',
  });
}

/** Writes the script `enter`, which opens a shell or runs a command in the device's environment. */
function keep(device: EmbeddedDevice): void {
  const script = join(device.folder, 'enter');
  const variables = Object.entries(device.environment).map(([name, value]) => `'${name}=${value}'`);
  writeFileSync(script, `#!/bin/sh\nexec env ${variables.join(' ')} "\${@:-/bin/sh}"\n`, { mode: 0o755 });
  print(1, `\nThe device is kept in ${device.folder}\n`);
  print(1, `  look around   ${script} rauc status\n`);
  print(1, `  its log       ${join(device.dataFolder, 'logs', 'update.log')}\n`);
  print(1, `  take it away  bun build.ts simulate --end ${device.folder}\n`);
}

async function endKept(folder: string): Promise<Outcome> {
  if (!existsSync(join(folder, 'system.conf'))) {
    throw new Failure(`Cannot take "${folder}" away: it is no embedded device`, { outcome: 'usage' });
  }
  await clearDevice(folder);
  return 'done';
}
