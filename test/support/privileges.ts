import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mayMount as mayRootMount } from '../../shared/packaging/device/requirements.ts';
import { emulation } from '../../shared/packaging/emulation.ts';

/** What this user may do on this machine. A test that needs more is skipped, and a run with skipped tests says why. */

export const isRoot = process.getuid?.() === 0;
export const mayMount = isRoot && mayRootMount();
export const hasLoopDevices = mayMount && existsSync('/dev/loop-control');
/** Whether the board's programs run here. */
export function hasArm64(): boolean {
  if (process.arch === 'arm64') return true;
  const env = { ...process.env, ...emulation };
  return spawnSync('/usr/aarch64-linux-gnu/lib/libc.so.6', { env }).status === 0;
}

/** What is missing for the skipped tests, in words; empty on a machine that can run all of them. */
export function missingPrivileges(): string[] {
  return [
    ...(isRoot ? [] : ['root (run it as root, or install sudo)']),
    ...(isRoot && !mayMount ? ['mounts (docker run --privileged, or a machine)'] : []),
    ...(mayMount && !hasLoopDevices ? ['loop devices'] : []),
    ...(hasArm64() ? [] : ['an emulator for arm64 programs']),
  ];
}
