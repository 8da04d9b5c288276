import { readFileSync, writeFileSync } from 'node:fs';

/** Debian's U-Boot for QEMU's board. */
export const uBoot = '/usr/lib/u-boot/qemu_arm64/u-boot.bin';

/** What it counts down from is one digit of the environment that is compiled in. */
const counted = 'bootdelay=2\0';
const notCounted = 'bootdelay=0\0';

/** The same U-Boot, but that it starts at once. Answers with the path. */
export function writeUBootWithoutCountdown(path: string): string {
  const bytes = readFileSync(uBoot);
  const at = bytes.indexOf(counted);
  if (at === -1 || bytes.indexOf(counted, at + 1) !== -1)
    throw new Error(`${uBoot} does not say ${JSON.stringify(counted)} once`);
  bytes.write(notCounted, at, 'latin1');
  writeFileSync(path, bytes);
  return path;
}
