import { basename, join } from 'node:path';
import { writeDurably } from '../../system/files/durable-file.ts';
import { executableName } from '../../update/slot/program-names.ts';
import type { BundleOptions } from '../bundle/bundle.ts';
import { sha256Of } from '../format/file-digest.ts';
import { debianPackages } from './debian-packages.ts';
import { compiledPackages } from './npm-packages.ts';
import { runtimeComponents } from './runtime.ts';
import { renderSbom } from './sbom.ts';

export type Described = Pick<BundleOptions, 'output' | 'version' | 'time' | 'programs' | 'rootfs'>;

/** Writes `<bundle>.cdx.json` beside the bundle, in place of an older one. Returns its path. */
export async function writeSbom({ output, version, time, programs, rootfs }: Described): Promise<string> {
  const sbom = renderSbom({
    bundle: { name: 'homie-orchestrator', version, sha256: await sha256Of(output) },
    time,
    programs: {
      sha256: await sha256Of(join(programs, executableName)),
      components: [...(await compiledPackages()), ...runtimeComponents()],
    },
    rootfs: {
      name: basename(rootfs),
      sha256: await sha256Of(rootfs),
      packages: await debianPackages(rootfs),
    },
  });
  const path = `${output.replace(/\.raucb$/, '')}.cdx.json`;
  writeDurably(path, sbom);
  return path;
}
