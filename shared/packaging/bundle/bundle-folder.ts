import { chmodSync, constants, copyFileSync, linkSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { factsFileName } from '../../rauc/bundle-facts.ts';
import { Failure, reasonOf } from '../../system/failure.ts';
import { makeFolder } from '../../system/files/durable-file.ts';
import { executableName, programNames } from '../../update/slot/program-names.ts';
import { type Architecture, project } from '../project.ts';
import { buildStamp, renderManifest } from './manifest.ts';

export type Compression = 'xz' | 'gzip' | 'lz4' | 'zstd';

export interface BundleContent {
  rootfs: string;
  programs: string;
  architecture: Architecture;
  /** `compatible` of the boards that the bundle is for; by default that of the guide's board. */
  compatible?: string | undefined;
  version: string;
  time: Date;
  revision: string;
  format: string;
  isFlat: boolean;
}

const guidesCompatible = 'jetson-nano-homie';

/** Fills the folder that RAUC packs: the manifest, the image, the programs and the facts that they read. */
export async function fillBundleFolder(folder: string, content: BundleContent): Promise<void> {
  const hooks = content.isFlat ? folder : join(folder, 'update-hooks');
  makeFolder(hooks);
  const hook = content.isFlat ? executableName : `update-hooks/${executableName}`;
  const { version, revision, format } = content;
  const source = readFileSync(join(project.skeleton, 'bundle.conf'), 'utf8');
  const compatible = content.compatible ?? guidesCompatible;
  const fields = { compatible, version, build: buildStamp(content.time), revision, format, hook };
  writeFileSync(join(folder, 'manifest.raucm'), renderManifest(source, fields));

  copyIn(content.rootfs, join(folder, 'rootfs.ext4'), 'root file system');
  copyIn(join(content.programs, executableName), join(hooks, executableName), 'programs');
  chmodSync(join(hooks, executableName), 0o755);
  for (const name of programNames) {
    if (name !== executableName) linkSync(join(hooks, executableName), join(hooks, name));
  }
  const facts = {
    format: 1,
    architecture: content.architecture,
    version,
    revision,
    built: content.time.toISOString(),
  };
  writeFileSync(join(hooks, factsFileName), `${JSON.stringify(facts, undefined, 2)}\n`);
}

function copyIn(from: string, to: string, what: string): void {
  try {
    if (!statSync(from).isFile()) throw new Error('it is not a file');
    makeFolder(dirname(to));
    copyFileSync(from, to, constants.COPYFILE_FICLONE);
  } catch (error) {
    throw new Failure(`Cannot put the ${what} "${from}" into the bundle: ${reasonOf(error)}`, {
      outcome: 'usage',
    });
  }
}
