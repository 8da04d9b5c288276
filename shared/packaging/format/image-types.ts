import { isOlder } from './dotted-version.ts';

/** The files that RAUC can write into a slot of each type, by the end of their names: `updatepairs` in its update_handler.c. */
const squashfs = ['.squashfs', '.squashfs-lz4', '.squashfs-lzo', '.squashfs-xz', '.squashfs-zst'];
const archives = ['.tar', '.caidx'];
const extensions: Record<string, readonly string[]> = {
  ext4: ['.ext4', '.ext4.caibx', '.catar', ...archives],
  raw: [
    '.ext4',
    '.ext4.caibx',
    '.vfat',
    '.vfat.caibx',
    ...squashfs,
    ...squashfs.map((name) => `${name}.caibx`),
  ],
  vfat: ['.vfat', ...archives],
  ubifs: ['.ubifs', '.ubifs.caibx', ...archives],
  ubivol: ['.ubifs', '.ubifs.caibx', ...squashfs, ...squashfs.map((name) => `${name}.caibx`)],
  jffs2: ['.tar'],
  'boot-mbr-switch': ['.vfat'],
  'boot-gpt-switch': ['.vfat', '.ext4'],
};
/** RAUC writes these into a slot of any type, byte by byte. */
const always = ['.img', '.img.caibx'];
const tgzSince = '1.10';

export function extensionsFor(slotType: string, raucMin: string): string[] {
  const own = extensions[slotType] ?? [];
  const tgz = own.includes('.tar') && !isOlder(raucMin, tgzSince) ? ['.tgz'] : [];
  return [...own, ...tgz, ...always];
}

/** RAUC's pattern for archives is `*.tar*`: the compression's name may follow. */
export function hasExtension(filename: string, known: readonly string[]): boolean {
  return known.some((extension) =>
    extension === '.tar' ? filename.includes('.tar') : filename.endsWith(extension),
  );
}

/** Whether RAUC copies the file's bytes into the slot as they are, so that they must be its file system. */
export function isFileSystemImage(filename: string, slotType: string): boolean {
  return filename.endsWith('.ext4') || (slotType === 'ext4' && filename.endsWith('.img'));
}

/** An index of chunks in a casync store, or an archive that only casync unpacks. */
export function isCasync(filename: string): boolean {
  return /\.(caibx|caidx|catar)$/.test(filename);
}
