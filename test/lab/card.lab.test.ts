import { expect, test } from 'bun:test';
import { truncateSync, writeFileSync } from 'node:fs';
import { command } from '../../shared/system/process/command.ts';
import { TempFolder } from '../support/temp-folder.ts';
import { insertCard } from './board/card.ts';
import { startVolatileCache } from './board/volatile-cache.ts';

/** The lab's own instrument: a power cut that loses nothing would prove nothing. */
test('a card keeps what was flushed, and loses the rest, when power is cut', async () => {
  using folder = new TempFolder();
  const image = folder.at('image.img');
  writeFileSync(image, '');
  truncateSync(image, 8 * 2 ** 20);
  const card = await insertCard(folder.path, image);
  const cache = await startVolatileCache(folder.at('disk.socket'), card.socket);
  const steps = ['write -P 1 0 64k', 'flush', 'write -P 2 1M 64k', 'write -P 3 2M 4k', 'sleep 60000'];
  const writer = Bun.spawn(
    [
      'stdbuf',
      '-oL',
      'qemu-io',
      '-f',
      'raw',
      '-t',
      'writeback',
      ...steps.flatMap((step) => ['-c', step]),
      cache.url,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const said = writer.stdout.getReader();
  for (let words = ''; !words.includes('at offset 2097152'); ) {
    const { value, done } = await said.read();
    if (done) throw new Error(`the writer has ended: ${words}`);
    words += new TextDecoder().decode(value);
  }
  cache.kill();
  writer.kill('SIGKILL');
  await Promise.all([writer.exited, cache.exited]);
  await card[Symbol.asyncDispose]();

  const read = command({ deadlineMs: 30_000 });
  const { stdout } =
    await read`qemu-io -f qcow2 -c ${'read -P 1 0 64k'} -c ${'read -P 0 1M 64k'} -c ${'read -P 0 2M 4k'} ${card.image}`;
  expect(stdout).not.toContain('Pattern verification failed');
  expect(stdout.match(/^read /gm)?.length).toBe(3);
});
