import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDevice } from '../../../shared/packaging/device/device.ts';
import type { Boot, EmbeddedDevice } from '../../../shared/packaging/device/running-device.ts';
import { makeDemoRootfs } from '../../../shared/packaging/root/rootfs.ts';
import { buildTime, packDemoBundle } from '../../support/build/pack-bundle.ts';
import { type ComposeOptions, composeFile } from '../stack/compose-file.ts';
import { type Engine, startEngine } from '../stack/engine.ts';
import { freePort } from '../stack/free-port.ts';
import { stackImages } from '../stack/images.ts';
import { type Registry, startRegistry } from '../stack/registry.ts';
import type { Release } from '../stack/releases.ts';
import { Stack } from '../stack/stack.ts';
import { programsOf, type Workshop } from '../workshop.ts';
import { environmentOf, type Settings, writeConfig } from './stage-config.ts';

/** A device with the real stack on it: slot A runs release 1.0.0, healthy, with rows in its database. */

const composePath = 'opt/homie_orchestrator/docker-compose.yml';
const dataMiB = 3_000;

export interface Stage extends AsyncDisposable {
  device: EmbeddedDevice;
  engine: Engine;
  registry: Registry;
  /** The stack as it stands in the booted slot, for questions. */
  stack: Stack;
  healthUrl: string;
  /** A bundle of the release, the compose file changed as wished. */
  bundleOf(version: string, release: Release, wish?: Partial<ComposeOptions>): Promise<string>;
  /** The config's update part: what every scenario needs, and this. */
  configure(update: Settings): void;
  /** The reboot of the whole board: the engine goes down and comes up with it. */
  reboot(how?: 'orderly' | 'power-cut'): Promise<Boot>;
}

export interface StageOptions {
  environment?: Record<string, string>;
  update?: Settings;
  hasFaultPoints?: boolean;
}

export async function openStage(workshop: Workshop, options: StageOptions = {}): Promise<Stage> {
  const cleared = new AsyncDisposableStack();
  try {
    return await assemble(workshop, options, cleared);
  } catch (error) {
    await cleared.disposeAsync();
    throw error;
  }
}

async function assemble(
  workshop: Workshop,
  options: StageOptions,
  cleared: AsyncDisposableStack,
): Promise<Stage> {
  const work = mkdtempSync(join(tmpdir(), 'homie-stage-'));
  cleared.defer(() => rmSync(work, { recursive: true, force: true }));
  const engineFolder = join(work, 'engine');
  const deviceFolder = join(work, 'device');
  const dataFolder = join(deviceFolder, 'data');
  const registry = cleared.use(
    await startRegistry({ folder: join(work, 'registry'), images: await stackImages() }),
  );
  const port = freePort();
  const composeOf = (release: Release, wish: Partial<ComposeOptions> = {}): Record<string, string> => ({
    [composePath]: composeFile({ registry: registry.name, release, dataFolder, port, ...wish }),
  });

  const factory = join(work, 'factory.ext4');
  await makeDemoRootfs(factory, '1.0.0', buildTime, {
    ...composeOf('1.0.0'),
    'usr/lib/homie/release': 'VERSION=1.0.0\n',
  });
  const device = cleared.use(
    await createDevice({
      folder: deviceFolder,
      keyringPath: workshop.keys.keyringPath,
      rootfsImage: factory,
      sizesMiB: { data: dataMiB },
      environment: { ...options.environment, ...environmentOf(engineFolder) },
    }),
  );
  const dataRoot = join(dataFolder, 'docker');
  const engine = cleared.use(await startEngine({ folder: engineFolder, dataRoot }));
  const stack = new Stack({
    engine,
    folder: join(work, 'questions', 'homie_orchestrator'),
    registry: registry.name,
    release: '1.0.0',
    dataFolder,
    port,
  });
  const healthUrl = `http://127.0.0.1:${port}/health`;
  await stack.upAndMigrated('1.0.0');
  await stack.compose(['stop']);
  writeConfig(dataFolder, healthUrl, options.update ?? {});
  const file = join(device.rootFolder, composePath);
  const words = ['docker-compose', '--project-directory', join(file, '..'), '--file', file];
  device.addService('homie-orchestrator', [...words, 'up', '--no-color']);
  await device.run('systemctl', ['start', 'homie-orchestrator']);
  await stack.healthy(60_000);

  return {
    device,
    engine,
    registry,
    stack,
    healthUrl,
    bundleOf(version, release, wish) {
      const output = join(work, `${version}-${Bun.hash(JSON.stringify(wish ?? {}))}.raucb`);
      const programs = programsOf(workshop, options.hasFaultPoints === true);
      const parts = { ...programs, version, keys: workshop.keys, output };
      return packDemoBundle(parts, composeOf(release, wish));
    },
    configure: (update) => writeConfig(dataFolder, healthUrl, { ...options.update, ...update }),
    async reboot(how = 'orderly') {
      if (how === 'orderly') {
        await device.run('systemctl', ['stop', 'homie-orchestrator']);
        await engine.stop();
      } else await engine.cutPower();
      const boot = await device.reboot(how);
      await engine.start();
      return boot;
    },
    [Symbol.asyncDispose]: () => cleared.disposeAsync(),
  };
}
