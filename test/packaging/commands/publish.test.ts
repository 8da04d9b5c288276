import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { runCommand } from '../../support/run-command.ts';
import { TempFolder } from '../../support/temp-folder.ts';

const build = join(import.meta.dir, '../../../build.ts');

test('build.ts publish says in one line why a file is no bundle, and asks no server', async () => {
  using folder = new TempFolder();
  const user = folder.write('user', 'me:secret\n', 0o600);
  for (const [content, reason] of [
    ['', 'it is empty, or shorter than the size of a signature'],
    ['<html>404 Not Found</html>', 'Invalid bundle format: Signature size '],
  ] as const) {
    const file = folder.write('update.raucb', content);
    const options = ['--hawkbit', 'http://127.0.0.1:9', '--user-file', user];
    const ended = await runCommand([process.execPath, build, 'publish', file, ...options]);
    const [first = ''] = ended.stderr.split('\n').filter((line) => line.includes('Cannot'));
    expect(first).toContain(`Cannot publish "${file}": ${reason}`);
    expect(ended.exitCode).toBe(1);
  }
});
