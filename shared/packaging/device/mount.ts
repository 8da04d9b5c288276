import { mkdirSync, mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { CommandFailure } from '../../system/process/command.ts';
import { onHost } from './host.ts';

/** Mounts without writing a byte: `noload` leaves even a dirty journal as it is. */
export async function mountReadOnly(device: string, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await onHost()`mount -t ext4 -o ro,noload ${device} ${folder}`;
}

/** Mounts in the same way. Returns false if the device has nothing that can be mounted. */
export async function canMountReadOnly(device: string, folder: string): Promise<boolean> {
  try {
    await mountReadOnly(device, folder);
    return true;
  } catch (error) {
    if (error instanceof CommandFailure) return false;
    throw error;
  }
}

/** Runs `work` on the device's content, mounted read-only in a fresh folder below `parent`. */
export async function withMounted<T>(
  device: string,
  parent: string,
  work: (folder: string) => T | Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(`${parent}/slot-`);
  try {
    await mountReadOnly(device, folder);
    try {
      return await work(folder);
    } finally {
      await unmountBelow(folder);
    }
  } finally {
    rmdirSync(folder);
  }
}

/** The mount points at or below the folder, the newest mount first. */
export function mountsBelow(folder: string): string[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => unescaped(line.split(' ')[1] ?? ''))
    .filter((path) => path === folder || path.startsWith(`${folder}/`))
    .reverse();
}

/**
 * Unmounts everything at or below the folder, except what is at or below one of `keep`. A mount that is in use is detached
 * lazily, and ends with its last user.
 */
export async function unmountBelow(folder: string, keep: readonly string[] = []): Promise<void> {
  for (const path of mountsBelow(folder)) {
    if (keep.some((kept) => path === kept || path.startsWith(`${kept}/`))) continue;
    const { exitCode } = await onHost({ accept: 'any' })`umount ${path}`;
    if (exitCode !== 0) await onHost({ accept: 'any' })`umount --lazy ${path}`;
  }
}

/** proc(5): blanks and backslashes are written as octal numbers. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
