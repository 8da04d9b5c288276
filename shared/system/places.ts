import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folders of the system. On a device these are `/data`, `/` and `/run/homie`; in a chroot or a test they move. */
export interface Places {
  /** The data partition: it outlives every slot. */
  readonly data: string;
  /** The root of the booted slot. */
  readonly root: string;
  /** For files that are lost at a reboot: the lock. */
  readonly run: string;
}

/** From the options of the command line, else HOMIE_DATA, HOMIE_ROOT and HOMIE_RUN, else the device's own. */
export function findPlaces(given: { data?: string | undefined } = {}, env = process.env): Places {
  return {
    data: given.data ?? env['HOMIE_DATA'] ?? '/data',
    root: env['HOMIE_ROOT'] ?? '/',
    run: env['HOMIE_RUN'] ?? '/run/homie',
  };
}

export function configFileOf(places: Places): string {
  return join(places.data, 'config', 'orchestrator.yaml');
}

export function lockFileOf(places: Places): string {
  return join(places.run, 'update.lock');
}

/** In a folder of its own, which the orchestrator's container mounts. */
export function apiSocketOf(places: Places): string {
  return join(places.run, 'api', 'update.sock');
}

export function logFileOf(places: Places): string {
  return join(places.data, 'logs', 'update.log');
}

/** The updater's own files: the transaction, the history, the user's inhibit file. */
export function updateFolderOf(places: Places): string {
  return join(places.data, 'update');
}

/** The kernel's id of this boot; it shows whether a device has rebooted. */
export function bootId(env = process.env): string {
  return env['HOMIE_BOOT_ID'] ?? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** The folder of a bundle while it is downloaded and installed: on the data partition, which is large and survives a reboot. */
export function downloadFolderOf(places: Places): string {
  return join(updateFolderOf(places), 'download');
}
