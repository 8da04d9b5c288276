import { join } from 'node:path';
import { Failure } from '../system/failure.ts';

/** What RAUC passes to a hook in its environment (RAUC manual, "Hook interface"), or an operator in options. */
export interface HookPlace {
  /** Where the bundle is mounted; `manifest.raucm` lies in it. */
  bundle: string;
  /** Where the target slot is mounted, on slot hooks. */
  slotMount: string | undefined;
  slotName: string | undefined;
  bootname: string | undefined;
  /** The compatible of this system; only RAUC passes it. */
  systemCompatible: string | undefined;
  isCalledByRauc: boolean;
}

export interface HookOptions {
  bundle?: string | undefined;
  slotMount?: string | undefined;
}

/** Options win over RAUC's variables. Throws a usage Failure that names the missing one. */
export function readHookEnvironment(options: HookOptions, env = process.env): HookPlace {
  const bundle = options.bundle ?? env['RAUC_BUNDLE_MOUNT_POINT'] ?? bundleBelow(env['RAUC_MOUNT_PREFIX']);
  if (bundle === undefined) {
    throw new Failure('Cannot find the bundle: RAUC_BUNDLE_MOUNT_POINT is not set', {
      outcome: 'usage',
      advice: 'Outside RAUC give --bundle DIR, the folder where the bundle is mounted or unpacked',
    });
  }
  return {
    bundle,
    slotMount: options.slotMount ?? env['RAUC_SLOT_MOUNT_POINT'],
    slotName: env['RAUC_SLOT_NAME'],
    bootname: env['RAUC_SLOT_BOOTNAME'],
    systemCompatible: env['RAUC_SYSTEM_COMPATIBLE'],
    isCalledByRauc: env['RAUC_SYSTEM_COMPATIBLE'] !== undefined,
  };
}

/** Whether RAUC called us as a handler of system.conf: only handlers get this variable (RAUC manual, "System Handlers"). */
export function isRaucsHandler(env = process.env): boolean {
  return env['RAUC_TARGET_SLOTS'] !== undefined;
}

/** The target slot's mount. Throws a usage Failure if neither RAUC nor an option gives it. */
export function slotMountOf(place: HookPlace): string {
  if (place.slotMount !== undefined) return place.slotMount;
  throw new Failure('Cannot find the target slot: RAUC_SLOT_MOUNT_POINT is not set', {
    outcome: 'usage',
    advice: 'Outside RAUC give --slot-mount DIR, the folder where the target slot is mounted',
  });
}

/** install-check gets only the prefix; RAUC mounts the bundle at `bundle` below it. */
function bundleBelow(prefix: string | undefined): string | undefined {
  return prefix === undefined ? undefined : join(prefix, 'bundle');
}
