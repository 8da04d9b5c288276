import { Failure } from '../../system/failure.ts';
import { formatBytes } from '../../system/files/disk.ts';

export interface SpaceNeeds {
  /** Compressed size in the registry, each layer counted once. */
  layerBytes: number;
  /** The number of images whose size the registry did not give. */
  unknownImages: number;
  /** The bundle's image files that are to be loaded. */
  tarBytes: number;
  compressedTarBytes: number;
}

export const noNeeds: SpaceNeeds = { layerBytes: 0, unknownImages: 0, tarBytes: 0, compressedTarBytes: 0 };

/** A layer is stored compressed until it is unpacked, to about twice that size. */
const layerFactor = 3;
/** `docker load` unpacks all of the file before it takes the layers out of it. */
const tarFactor = 2;
const compressedTarFactor = 5;

/** Bytes that docker needs at its peak, plus the reserve that must stay free: once more for each image of unknown size. */
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
