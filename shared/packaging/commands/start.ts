import type { Outcome } from '../../system/exit-code.ts';
import { Failure } from '../../system/failure.ts';
import type { Running } from '../../system/process/program.ts';
import { Values } from '../../system/terminal/arguments.ts';
import { print } from '../../system/terminal/print.ts';
import { programVersion } from '../../system/version.ts';
import { requirePrivileges } from '../device/requirements.ts';
import { runsArm64 } from '../emulation.ts';
import { project } from '../project.ts';
import { buildAll } from './all.ts';
import { isRoot, requireWayToRoot } from './as-root.ts';
import { defaultBundle } from './bundle.ts';
import { simulate } from './simulate.ts';

/** From a fresh clone to an updated device: what `npm start` does. What this machine cannot do is said at the end. */
export async function start(running: Running): Promise<Outcome> {
  await buildAll(running);
  print(1, '\n');
  try {
    await requireDeviceHost();
  } catch (error) {
    if (error instanceof Failure) throw withoutDevice(error);
    throw error;
  }
  const outcome = await simulate(new Values({}), running);
  print(1, summary);
  return outcome;
}

/** Throws a Failure if this machine cannot try the bundle on an embedded device. */
async function requireDeviceHost(): Promise<void> {
  requirePrivileges();
  if (!isRoot()) await requireWayToRoot('make an embedded device', 'loop devices and mounts');
  await requireEmulator();
}

async function requireEmulator(): Promise<void> {
  if (await runsArm64()) return;
  throw new Failure('Cannot make an embedded device: arm64 programs do not run on this machine', {
    advice: 'Run it on a machine, or in a container with all privileges (docker run --privileged)',
  });
}

function withoutDevice({ message, advice }: Failure): Failure {
  print(1, withoutDeviceSummary);
  const reason = message.replace(/^Cannot make an embedded device: /, '');
  return new Failure(
    `Cannot try the bundle on an embedded device: ${reason}`,
    advice === undefined ? {} : { advice: `${advice}, and repeat "npm start"` },
  );
}

const withoutDeviceSummary = `
What happened: the programs were compiled for arm64, packed with a root file system into a signed bundle, and the bundle
was verified and checked: ${defaultBundle(programVersion).replace(`${project.root}/`, '')}. "npm run build" does as much.
What was not tried: RAUC did not install it, no slot was written, nothing was booted.
`;

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
