import { renderSystemConf } from '../board/system-conf.ts';
import type { Partitions } from './disk.ts';

/** As a board's, except where things lie; without a handler unless told, because its factory system has no programs. */
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
