import { closeSync, openSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { onHost } from './host.ts';

/**
 * Attaches a part of the image and returns the block device to use for it: a device node of our own, because RAUC 1.8
 * mistakes a mounted /dev/loopN for its image file, and would then write to a mounted slot. If the folder cannot have
 * device nodes (a /tmp mounted nodev), it returns /dev/loopN, and RAUC does not refuse a mounted slot.
 */
export async function attachLoop(options: {
  image: string;
  offsetBytes: number;
  sizeBytes: number;
  node: string;
  signal?: AbortSignal | undefined;
}): Promise<string> {
  const { image, offsetBytes, sizeBytes, node, signal } = options;
  const { stdout } = await onHost({
    signal,
  })`losetup --find --show --offset ${offsetBytes} --sizelimit ${sizeBytes} ${image}`;
  const loop = stdout.trim();
  const [major = '', minor = ''] = readFileSync(`/sys/block/${basename(loop)}/dev`, 'utf8')
    .trim()
    .split(':');
  const { exitCode } = await onHost({ signal, accept: 'any' })`mknod -m 600 ${node} b ${major} ${minor}`;
  return exitCode === 0 && canOpen(node) ? node : loop;
}

function canOpen(path: string): boolean {
  try {
    closeSync(openSync(path, 'r'));
    return true;
  } catch {
    return false;
  }
}
