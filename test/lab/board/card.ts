import { join } from 'node:path';
import { command } from '../../../shared/system/process/command.ts';
import { endsWithUs } from '../../support/ends-with-us.ts';
import { untilListening } from './listening.ts';

/**
 * The disk of a board: an image that is never written, and a layer with the writes of this board. It outlives the
 * power cuts, and is served to the program that simulates the card's volatile cache.
 */
export interface Card extends AsyncDisposable {
  socket: string;
  /** The writes of this board, as an image from which other boards can start when the card is not in use. */
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
