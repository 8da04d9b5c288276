import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { Failure, reasonOf } from '../../system/failure.ts';
import { createBootEnvironment } from './boot-environment.ts';
import { bootedEnvironment, type Environment } from './booted-system.ts';
import { createDisk, type SizesMiB } from './disk.ts';
import { onHost } from './host.ts';
import { clearDevice } from './leftovers.ts';
import { mountReadOnly } from './mount.ts';
import { startBus } from './rauc-service.ts';
import { claimFolder, requireMachine } from './requirements.ts';
import { EmbeddedDevice } from './running-device.ts';
import { installStandIns } from './services.ts';
import { systemConf } from './system-conf.ts';

export interface DeviceOptions {
  /** An empty folder, or one that does not exist yet; it is removed with the device. */
  folder: string;
  keyringPath: string;
  /** An ext4 image that both slots carry at the start; without it they carry an empty file system. */
  rootfsImage?: string | undefined;
  sizesMiB?: Partial<SizesMiB>;
  /** The program that RAUC runs before anything from a bundle; by default none. */
  preInstallHandler?: string | undefined;
  /** Added to the environment of every program on the device. */
  environment?: Environment;
  signal?: AbortSignal | undefined;
}

const usualSizesMiB: SizesMiB = { boot: 8, slot: 192, data: 256 };
/** The folders in the guide's /data. */
const dataFolders = ['postgres', 'redis', 'core', 'backups', 'config', 'logs', 'rauc'];
/**
 * Makes an A/B board on this machine, running a healthy slot A with 3/3 attempts: the unmodified RAUC, loop devices, ext4,
 * U-Boot's environment, D-Bus. If a step fails, nothing of the device is left. Needs root. Throws a Failure.
 */
export async function createDevice(options: DeviceOptions): Promise<EmbeddedDevice> {
  requireMachine();
  const folder = claimFolder(options.folder);
  try {
    return await assembleDevice(folder, options);
  } catch (error) {
    await clearDevice(folder);
    options.signal?.throwIfAborted();
    throw error;
  }
}

async function assembleDevice(folder: string, options: DeviceOptions): Promise<EmbeddedDevice> {
  const { signal, rootfsImage, environment: extra } = options;
  for (const name of ['bin', 'data', 'dev', 'mnt', 'root', 'run', 'units']) mkdirSync(`${folder}/${name}`);
  const sizes = { ...usualSizesMiB, ...options.sizesMiB };
  const partitions = await createDisk({
    image: `${folder}/disk.img`,
    nodeFolder: `${folder}/dev`,
    sizes,
    rootfsImage,
    signal,
  });
  await onHost({ signal })`mount -t ext4 ${partitions.data} ${`${folder}/data`}`;
  for (const name of dataFolders) mkdirSync(`${folder}/data/${name}`);
  const conf = systemConf({
    partitions,
    mountFolder: `${folder}/mnt`,
    raucFolder: `${folder}/data/rauc`,
    keyringPath: keyringAt(options.keyringPath),
    preInstallHandler: options.preInstallHandler,
  });
  writeFileSync(`${folder}/system.conf`, conf);
  installStandIns(`${folder}/bin`, `${folder}/system.conf`);
  const bootEnvironment = await createBootEnvironment({ folder, binFolder: `${folder}/bin`, signal });
  const bus = await startBus(folder, bootedEnvironment({ folder, bootId: '' }), signal);
  const device = new EmbeddedDevice({ folder, partitions, bootEnvironment, bus, extra, signal });
  await mountReadOnly(partitions['rootfs-a'], device.rootFolder);
  await device.start('A');
  return device;
}

function keyringAt(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    throw new Failure(`Cannot use the keyring "${path}": ${reasonOf(error)}`, { cause: error });
  }
}
