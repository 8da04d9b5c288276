import { join } from 'node:path';
import { type Places, updateFolderOf } from '../../system/places.ts';

/** Where a bundle lies while it is fetched and installed: on the data partition, which is large and outlives a reboot. */
export function downloadFolderOf(places: Places): string {
  return join(updateFolderOf(places), 'download');
}
