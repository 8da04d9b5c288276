import { existsSync, rmSync } from 'node:fs';
import { type BundleOptions, makeBundle } from '../../../shared/packaging/bundle/bundle.ts';
import type { KeySet } from '../../../shared/packaging/pki/keys.ts';
import { makeDemoRootfs } from '../../../shared/packaging/root/rootfs.ts';
import { createLog } from '../../../shared/system/terminal/log.ts';
import { isFlat } from './layout.ts';

/** Of every bundle and image of the tests: with one time, the same content is the same bytes. */
export const buildTime = new Date('2026-01-01T00:00:00Z');

export interface BundleParts
  extends Pick<BundleOptions, 'programs' | 'architecture' | 'compatible' | 'version' | 'output'> {
  rootfs: string;
  format?: 'plain' | 'verity';
  keys: Pick<KeySet, 'certificatePath' | 'keyPath' | 'keyringPath'>;
}

/** As `build.ts bundle` makes one, packed by the quickest compressor. */
export async function packBundle({ keys, format = 'plain', ...parts }: BundleParts): Promise<void> {
  await makeBundle({
    ...parts,
    time: buildTime,
    revision: 'test',
    format,
    compression: 'lz4',
    certificate: keys.certificatePath,
    key: keys.keyPath,
    intermediates: [],
    keyring: keys.keyringPath,
    isFlat: await isFlat(),
    cache: `${parts.output}.cache`,
    log: createLog('test'),
  });
  rmSync(`${parts.output}.cache`, { recursive: true });
}

/** The same around a demo root file system with these further files. One that was made before is answered again. */
export async function packDemoBundle(
  parts: Omit<BundleParts, 'rootfs'>,
  files: Readonly<Record<string, string>> = {},
): Promise<string> {
  if (existsSync(parts.output)) return parts.output;
  const rootfs = `${parts.output}.ext4`;
  await makeDemoRootfs(rootfs, parts.version, buildTime, files);
  await packBundle({ ...parts, rootfs });
  rmSync(rootfs);
  return parts.output;
}
