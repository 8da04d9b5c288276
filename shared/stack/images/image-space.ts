import { Failure } from '../../system/failure.ts';
import { formatBytes } from '../../system/files/disk.ts';

export interface SpaceNeeds {
  /** Compressed, as they come from the registry, each once. */
  layerBytes: number;
  /** Images that the registry said nothing of. */
  unknownImages: number;
  /** Files of the bundle that are loaded. */
  tarBytes: number;
  compressedTarBytes: number;
}

export const noNeeds: SpaceNeeds = { layerBytes: 0, unknownImages: 0, tarBytes: 0, compressedTarBytes: 0 };

/** Layers lie there compressed until they are unpacked, to about twice that. */
const layerFactor = 3;
/** `docker load` unpacks all of the file before it takes the layers out of it. */
const tarFactor = 2;
const compressedTarFactor = 5;

/** What docker needs at its peak, beside the reserve that is to be left. */
export function neededBytes(needs: SpaceNeeds, reserveBytes: number): number {
  const { layerBytes, unknownImages, tarBytes, compressedTarBytes } = needs;
  return (
    layerBytes * layerFactor +
    tarBytes * tarFactor +
    compressedTarBytes * compressedTarFactor +
    (unknownImages + 1) * reserveBytes
  );
}

/** Throws a Failure that says how much is missing, and where. */
export function requireSpace(folder: string, freeBytes: number, needed: number): void {
  if (freeBytes >= needed) return;
  const [missing, all, free] = [needed - freeBytes, needed, freeBytes].map(formatBytes);
  throw new Failure(
    `Cannot fetch the images of the new version: ${missing} are missing on "${folder}" (needs ${all}, free are ${free})`,
    { outcome: 'noSpace', advice: 'Free space there; nothing is deleted by itself' },
  );
}
