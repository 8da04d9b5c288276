import { rmSync } from 'node:fs';
import { untilListening } from './listening.ts';

/** A card's own memory, which loses unflushed data at a power cut. */
export interface VolatileCache {
  url: string;
  /** Without a chance to write anything down. */
  kill(): void;
  /** Writes down what it holds, and ends. */
  end(): void;
  exited: Promise<number>;
}

export async function startVolatileCache(socket: string, card: string): Promise<VolatileCache> {
  rmSync(socket, { force: true });
  const server = Bun.spawn(
    [
      'nbdkit',
      '-f',
      '--exit-with-parent',
      '-U',
      socket,
      '--filter=cache',
      'nbd',
      `socket=${card}`,
      'cache=writeback',
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  await untilListening(socket, () => server.exitCode !== null);
  if (server.exitCode !== null) throw new Error(`nbdkit has ended with ${server.exitCode}`);
  return {
    url: `nbd+unix:///?socket=${socket}`,
    kill: () => server.kill('SIGKILL'),
    end: () => server.kill('SIGTERM'),
    exited: server.exited,
  };
}
