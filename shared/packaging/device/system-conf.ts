import type { Partitions } from './disk.ts';

/** RAUC's configuration of the board. /data is no slot: an update must not be able to write it. */
export function systemConf(options: {
  partitions: Partitions;
  mountFolder: string;
  raucFolder: string;
  keyringPath: string;
}): string {
  const slots = [
    ['rootfs.0', 'A', options.partitions['rootfs-a']],
    ['rootfs.1', 'B', options.partitions['rootfs-b']],
  ] as const;
  return `[system]
compatible=jetson-nano-homie
bootloader=uboot
bundle-formats=plain verity
mountprefix=${options.mountFolder}
data-directory=${options.raucFolder}

[keyring]
path=${options.keyringPath}
check-purpose=codesign
${slots
  .map(
    ([name, bootname, device]) => `
[slot.${name}]
device=${device}
type=ext4
bootname=${bootname}
resize=true
`,
  )
  .join('')}`;
}
