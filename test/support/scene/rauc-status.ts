/** What `rauc status --detailed --output-format=json` of RAUC 1.8 prints for an A/B board. */
export interface StatusOptions {
  booted: 'rootfs.0' | 'rootfs.1' | null;
  primary?: string | null;
  /** Slots that the bootloader does not try. */
  bad?: readonly string[];
  /** Slots whose boot status RAUC cannot read, as RAUC from 1.16 on says it. */
  unknown?: readonly string[];
  versions?: Record<string, string>;
}

export function statusJson({
  booted,
  primary = booted,
  bad = [],
  unknown = [],
  versions = {},
}: StatusOptions): string {
  const slot = (name: string, bootname: string) => ({
    [name]: {
      class: 'rootfs',
      device: `/dev/disk/by-partlabel/rootfs-${bootname.toLowerCase()}`,
      type: 'ext4',
      bootname,
      state: name === booted ? 'booted' : 'inactive',
      parent: null,
      mountpoint: name === booted ? '/' : null,
      boot_status: unknown.includes(name) ? 'unknown' : bad.includes(name) ? 'bad' : 'good',
      slot_status: { bundle: { compatible: null, version: versions[name] ?? null } },
    },
  });
  return JSON.stringify({
    compatible: 'jetson-nano-homie',
    variant: '',
    booted: booted === 'rootfs.1' ? 'B' : 'A',
    boot_primary: primary,
    slots: [slot('rootfs.1', 'B'), slot('rootfs.0', 'A')],
  });
}
