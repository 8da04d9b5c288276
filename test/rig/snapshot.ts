import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { EmbeddedDevice } from '../../shared/packaging/device/running-device.ts';

/** All that an update may change on a device; two equal ones prove that nothing was touched. */
export interface Snapshot {
  slotA: string;
  slotB: string;
  bootEnvironment: Record<string, string>;
  data: Record<string, string>;
}

export async function takeSnapshot(device: EmbeddedDevice): Promise<Snapshot> {
  return {
    slotA: await device.slotBytes('A'),
    slotB: await device.slotBytes('B'),
    bootEnvironment: await device.bootEnvironment(),
    data: treeOf(device.dataFolder),
  };
}

/** Path → type, mode, owner and content, of everything below the folder. */
export function treeOf(folder: string, below = ''): Record<string, string> {
  const tree: Record<string, string> = {};
  for (const name of readdirSync(join(folder, below)).sort()) {
    const path = join(below, name);
    const stat = lstatSync(join(folder, path));
    const owner = `${(stat.mode & 0o7777).toString(8)} ${stat.uid}:${stat.gid}`;
    if (stat.isDirectory()) {
      tree[path] = `folder ${owner}`;
      Object.assign(tree, treeOf(folder, path));
    } else if (stat.isSymbolicLink()) {
      tree[path] = `link ${readlinkSync(join(folder, path))}`;
    } else if (stat.isFile()) {
      const hash = createHash('sha256')
        .update(readFileSync(join(folder, path)))
        .digest('hex');
      tree[path] = `file ${owner} ${hash}`;
    } else {
      tree[path] = `other ${owner}`;
    }
  }
  return tree;
}
