import type { Outcome } from '../../system/exit-code.ts';
import type { Running } from '../../system/process/program.ts';
import { Values } from '../../system/terminal/arguments.ts';
import { print } from '../../system/terminal/print.ts';
import { programVersion } from '../../system/version.ts';
import { findKeys } from '../pki/keys.ts';
import { project } from '../project.ts';
import { buildBundle } from './bundle.ts';
import { buildHooks } from './hooks.ts';
import { changeKeys } from './keys.ts';
import { simulate } from './simulate.ts';

/** From a fresh clone to an updated device: what `npm start` does. */
export async function start(running: Running): Promise<Outcome> {
  if (findKeys(project.keys) === undefined) await changeKeys(new Values({}), running);
  await buildHooks(new Values({}), running);
  await buildBundle(new Values({ compress: 'lz4' }), running);
  print(1, '\n');
  const outcome = await simulate(new Values({}), running);
  print(1, summary);
  return outcome;
}

const summary = `
What happened: the programs were compiled for arm64, packed with a root file system into a signed bundle, and RAUC
installed that into slot B of an embedded device while slot A kept running. The configuration was backed up before
anything was written. After the reboot, slot B was on trial: its application answered, so version ${programVersion} was
committed. Had it not, the device would have gone back to slot A by itself. Nothing of the device is left.

Try next:
  npm test                                      everything this project promises, proved
  node_modules/.bin/bun build.ts --help         the same steps one by one
  node_modules/.bin/bun build.ts simulate --keep   the same device, left running for a look
  node_modules/.bin/bun build.ts bundle --rootfs YOUR.ext4 --version 1.2.0
`;
