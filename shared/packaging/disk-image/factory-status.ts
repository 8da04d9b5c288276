/** RAUC's slot status, as if RAUC had installed the slots itself: without it the version of a new device is unknown. */

export interface FactoryRelease {
  compatible: string;
  version: string;
  /** The digest of the root file system's image, as a bundle would contain it. */
  sha256: string;
  bytes: number;
  time: Date;
}

/** `central.raucs` in RAUC's data directory (RAUC manual, "Slot Status"), for both slots. */
export function factoryStatus(release: FactoryRelease): string {
  return [0, 1].map((index) => slotStatus(`rootfs.${index}`, release)).join('\n');
}

function slotStatus(slot: string, { compatible, version, sha256, bytes, time }: FactoryRelease): string {
  const at = time.toISOString().replace(/\.\d+Z$/, 'Z');
  return `[slot.${slot}]
bundle.compatible=${compatible}
bundle.version=${version}
bundle.description=As it left the factory
bundle.build=factory
status=ok
sha256=${sha256}
size=${bytes}
installed.timestamp=${at}
installed.count=1
activated.timestamp=${at}
activated.count=1
`;
}
