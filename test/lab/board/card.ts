import { join } from 'node:path';
import { command } from '../../../shared/system/process/command.ts';
import { endsWithUs } from '../../support/ends-with-us.ts';
import { untilListening } from './listening.ts';

/**
 * What a board boots from: an image that nobody writes to, and over it what this board has written. It outlives the
 * power cuts, and is served to whoever plays the card's volatile cache.
 */
export interface Card extends AsyncDisposable {
  socket: string;
  /** What this board has written, as an image that others can begin from once nobody uses the card. */
  image: string;
}

const toolMs = 60_000;

export async function insertCard(folder: string, image: string): Promise<Card> {
  const overlay = join(folder, 'card.qcow2');
  const socket = join(folder, 'card.socket');
  const format = image.endsWith('.qcow2') ? 'qcow2' : 'raw';
  await command({ deadlineMs: toolMs })`qemu-img create -q -f qcow2 -F ${format} -b ${image} ${overlay}`;
  const server = Bun.spawn(
    // Its host loses no power: what the board has flushed is kept as soon as it is here.
    [
      ...endsWithUs,
      'qemu-nbd',
      '-k',
      socket,
      '-f',
      'qcow2',
      '--persistent',
      '--shared=4',
      '--cache=unsafe',
      overlay,
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  await untilListening(socket, () => server.exitCode !== null);
  if (server.exitCode !== null) throw new Error(`qemu-nbd has ended with ${server.exitCode}`);
  return {
    socket,
    image: overlay,
    async [Symbol.asyncDispose]() {
      server.kill('SIGTERM');
      await server.exited;
    },
  };
}
