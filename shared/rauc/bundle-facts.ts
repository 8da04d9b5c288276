import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, isMissing, reasonOf } from '../system/failure.ts';
import { parseKeyFile, valueIn } from './key-file.ts';

/** The file beside the programs in `update-hooks/` with the facts that RAUC does not pass to them. */
export const factsFileName = 'bundle.json';

export interface BundleFacts {
  compatible: string;
  version: string;
  /** `arm64` or `x64`, the machine of the bundle's programs; undefined for a bundle without our facts file. */
  architecture: string | undefined;
  /** Bytes of the root image; undefined if the manifest names none or the image is missing. */
  imageBytes: number | undefined;
}

/** Reads a mounted bundle: RAUC passes neither version nor compatible to slot hooks, but the manifest inside has both. */
export function readBundleFacts(bundle: string): BundleFacts {
  const path = join(bundle, 'manifest.raucm');
  const manifest = parseKeyFile(readText(path));
  const compatible = valueIn(manifest, 'update', 'compatible');
  const version = valueIn(manifest, 'update', 'version');
  if (compatible === undefined || version === undefined) {
    const key = compatible === undefined ? 'compatible' : 'version';
    throw new Failure(`Cannot use the manifest "${path}": it names no ${key}`, { outcome: 'incompatible' });
  }
  return {
    compatible,
    version,
    architecture: readArchitecture(bundle),
    imageBytes: imageBytes(bundle, valueIn(manifest, 'image.rootfs', 'filename')),
  };
}

function readArchitecture(bundle: string): string | undefined {
  for (const place of [join(bundle, 'update-hooks', factsFileName), join(bundle, factsFileName)]) {
    try {
      const facts: unknown = JSON.parse(readFileSync(place, 'utf8'));
      if (typeof facts === 'object' && facts !== null && 'architecture' in facts)
        return String(facts.architecture);
    } catch (error) {
      if (!isMissing(error))
        throw new Failure(`Cannot read "${place}": ${reasonOf(error)}`, { cause: error });
    }
  }
  return undefined;
}

function imageBytes(bundle: string, filename: string | undefined): number | undefined {
  if (filename === undefined) return undefined;
  const path = join(bundle, filename);
  try {
    return statSync(path).size;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new Failure(`Cannot read "${path}": ${reasonOf(error)}`, { cause: error });
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Failure(`Cannot read the manifest "${path}": ${reasonOf(error)}`, { cause: error });
  }
}
