import { existsSync } from 'node:fs';
import { mayMount as mayRootMount } from '../../shared/packaging/device/requirements.ts';
import { runsArm64 } from '../../shared/packaging/emulation.ts';

/** What this user may do on this machine. A test that needs more is skipped, and a run with skipped tests says why. */

export const isRoot = process.getuid?.() === 0;
export const mayMount = isRoot && mayRootMount();
export const hasLoopDevices = mayMount && existsSync('/dev/loop-control');
/** What is missing for the skipped tests, in words; empty on a machine that can run all of them. */
export async function missingPrivileges(): Promise<string[]> {
  return [
    ...(isRoot ? [] : ['root (run it as root, or install sudo)']),
    ...(isRoot && !mayMount ? ['mounts (docker run --privileged, or a machine)'] : []),
    ...(mayMount && !hasLoopDevices ? ['loop devices'] : []),
    ...((await runsArm64()) ? [] : ['an emulator for arm64 programs']),
  ];
}
