import { renderSystemConf } from '../board/system-conf.ts';
import type { Partitions } from './disk.ts';

/** A board's system.conf with the paths of this machine. By default it has no handler: the factory system has no programs. */
export function systemConf(options: {
  partitions: Partitions;
  mountFolder: string;
  raucFolder: string;
  keyringPath: string;
  preInstallHandler?: string | undefined;
}): string {
  return renderSystemConf({
    compatible: 'jetson-nano-homie',
    slots: { A: options.partitions['rootfs-a'], B: options.partitions['rootfs-b'] },
    dataDirectory: options.raucFolder,
    keyring: options.keyringPath,
    preInstallHandler: options.preInstallHandler,
    mountPrefix: options.mountFolder,
    raucVersion: '1.8.0',
  });
}
