/** The features of an ext4 file system that decide which kernels and tools can use it (kernel: ext4/super.rst). */
interface Ext4Feature {
  name: string;
  /** The first kernel that mounts a file system with this feature for writing. */
  kernel: string;
}

const superblockOffset = 1024;
const magic = 0xef53;
const compatibleOffset = superblockOffset + 0x5c;
const incompatibleOffset = superblockOffset + 0x60;
const readOnlyOffset = superblockOffset + 0x64;
const orphanFile = 0x1000;

/** Only features that came after Linux 3.8; every device has the older ones. */
const incompatible: Record<number, Ext4Feature> = {
  8192: { name: 'metadata_csum_seed', kernel: '4.4' },
  1024: { name: 'ea_inode', kernel: '4.13' },
  16384: { name: 'large_dir', kernel: '4.13' },
  65536: { name: 'encrypt', kernel: '4.1' },
  131072: { name: 'casefold', kernel: '5.2' },
};
const readOnly: Record<number, Ext4Feature> = {
  8192: { name: 'project', kernel: '4.5' },
  32768: { name: 'verity', kernel: '5.4' },
  65536: { name: 'orphan_present', kernel: '5.15' },
};

export interface Ext4 {
  /** The features that a kernel must know. */
  features: Ext4Feature[];
  /** Kernels ignore orphan_file, but e2fsck and resize2fs before 1.47 refuse the whole file system. */
  hasOrphanFile: boolean;
}

/** Reads the first 2 KiB of an image; `undefined` where it holds no ext4. */
export function readExt4(head: Buffer): Ext4 | undefined {
  if (head.length < 2 * superblockOffset || head.readUInt16LE(superblockOffset + 0x38) !== magic)
    return undefined;
  return {
    features: [
      ...among(incompatible, head.readUInt32LE(incompatibleOffset)),
      ...among(readOnly, head.readUInt32LE(readOnlyOffset)),
    ],
    hasOrphanFile: (head.readUInt32LE(compatibleOffset) & orphanFile) !== 0,
  };
}

function among(features: Record<number, Ext4Feature>, bits: number): Ext4Feature[] {
  return Object.entries(features).flatMap(([bit, feature]) => ((bits & Number(bit)) === 0 ? [] : [feature]));
}
