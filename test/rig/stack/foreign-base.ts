import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onHost } from '../../../shared/packaging/device/host.ts';
import { sha256Of } from '../../../shared/packaging/format/file-digest.ts';
import type { ForeignArchitecture } from './base-root.ts';
import type { Engine } from './engine.ts';

/**
 * An image of one layer for another machine than this one, as "homie-base": `docker import` would write this machine's
 * own architecture into it, for any requested platform. See the image specification of Docker 1.2, "docker save".
 */
export async function loadForeignBase(
  engine: Engine,
  folder: string,
  { layer, architecture, path }: { layer: string; architecture: ForeignArchitecture; path: string },
): Promise<void> {
  mkdirSync(folder);
  try {
    symlinkSync(layer, join(folder, 'layer.tar'));
    const config = {
      architecture,
      os: 'linux',
      config: { Env: [`PATH=${path}`] },
      rootfs: { type: 'layers', diff_ids: [`sha256:${await sha256Of(layer)}`] },
    };
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
    const manifest = [{ Config: 'config.json', RepoTags: ['homie-base:latest'], Layers: ['layer.tar'] }];
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
    const archive = join(folder, 'image.tar');
    const files = ['manifest.json', 'config.json', 'layer.tar'];
    await onHost({})`tar --create --dereference --file=${archive} --directory=${folder} ${files}`;
    await engine.docker(['load', '--quiet', `--input=${archive}`]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
