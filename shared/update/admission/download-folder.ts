import { join } from 'node:path';
import { type Places, updateFolderOf } from '../../system/places.ts';

/** The folder of a bundle while it is downloaded and installed: on the data partition, which is large and survives a reboot. */
export function downloadFolderOf(places: Places): string {
  return join(updateFolderOf(places), 'download');
}
