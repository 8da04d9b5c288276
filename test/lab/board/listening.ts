import { readFileSync } from 'node:fs';
import { until } from '../../support/until.ts';

/** Waits until a program listens at the Unix socket, or has ended: the socket's name exists some time before. */
export async function untilListening(path: string, hasEnded: () => boolean): Promise<void> {
  await until(() => isListening(path) || hasEnded());
}

/** In the flags of /proc/net/unix (unix(7)), as the kernel has it in net.h. */
const acceptsConnections = 0x10000;

function isListening(path: string): boolean {
  return readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .some((line) => {
      const [, , , flags = '0', , , , name] = line.split(/\s+/);
      return name === path && (Number.parseInt(flags, 16) & acceptsConnections) !== 0;
    });
}
