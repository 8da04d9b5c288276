import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { backupBytesAtMost } from '../../data/backups/backup.ts';
import { findBackups } from '../../data/backups/saved-backups.ts';
import { freeBytesOn, treeBytes } from '../../system/files/disk.ts';
import { pathInRoot } from '../../system/files/rooted-path.ts';
import { downloadFolderOf } from '../../system/places.ts';
import type { Device } from '../transaction/device.ts';
import { requireAdmitted } from './admission-refusal.ts';
import { decideSpace, type SpaceNeed } from './decide-space.ts';

const mebibyte = 1024 * 1024;
/** Data grows between two updates. */
const growth = 1.25;

/**
 * Throws a Failure unless everything that the update needs fits; `bundleBytes` are the bytes still to download. Returns how
 * large the bundle may be, in bytes, for a download of unknown size.
 */
export function requireSpace(what: string, bundleBytes: number, device: Device): { freeForBundle: number } {
  const needs = gatherSpaceNeeds(bundleBytes, device);
  requireAdmitted(`"${what}"`, decideSpace(needs));
  const [bundle, ...others] = needs;
  const beside = others.filter((need) => need.device === bundle?.device);
  return { freeForBundle: (bundle?.freeBytes ?? 0) - beside.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** The space that the whole update needs. Asked before the first byte is downloaded: a later refusal would cost hours. */
function gatherSpaceNeeds(bundleBytes: number, device: Device): SpaceNeed[] {
  const { places, config } = device;
  const { reserveMiB, imageAllowanceMiB, composeFile } = config.update;
  const hasStack = existsSync(pathInRoot(places.root, composeFile));
  return [
    need('bundle', downloadFolderOf(places), bundleBytes),
    need('backup', config.backupPath, backupBytesAtMost(treeBytes(config.configPath), 0)),
    need('dump', config.backupPath, hasStack ? dumpBytes(device) : 0),
    need('images', join(places.data, 'docker'), hasStack ? imageAllowanceMiB * mebibyte : 0),
    need('reserve', places.data, reserveMiB * mebibyte),
  ];
}

/** Estimates the dumps: the size of the last ones and a little more; before the first, the size of the databases' own files. */
function dumpBytes({ places, config }: Device): number {
  const saved = findBackups(config.backupPath);
  const last = ['.dump', '.rdb'].map((end) => saved.find(({ path }) => path.endsWith(end))?.bytes);
  const folders = ['postgres', 'redis'].map((name) => join(places.data, name));
  return last.reduce<number>(
    (sum, bytes, index) =>
      sum + (bytes === undefined ? treeBytes(folders[index] ?? '') : Math.ceil(bytes * growth)),
    0,
  );
}

function need(name: string, path: string, bytes: number): SpaceNeed {
  return { name, path, bytes, device: deviceOf(path), freeBytes: freeBytesOn(path) };
}

function deviceOf(path: string): number {
  for (let place = path; ; place = dirname(place)) {
    const stat = statSync(place, { throwIfNoEntry: false });
    if (stat !== undefined || place === dirname(place)) return stat?.dev ?? 0;
  }
}
