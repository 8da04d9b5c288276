import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { compileSeparately } from '../../shared/packaging/bundle/compile.ts';
import { emulation } from '../../shared/packaging/emulation.ts';
import { programNames } from '../../shared/update/slot/program-names.ts';
import { runCommand } from '../support/run-command.ts';
import { TempFolder } from '../support/temp-folder.ts';

test('the programs compile separately, too, and cost what the report says', async () => {
  using folder = new TempFolder();
  const separate = folder.at('separate');
  const sizes = await compileSeparately(separate, { architecture: 'arm64' });
  expect([...sizes.keys()].sort()).toEqual(programNames.filter((name) => name !== 'hook').sort());
  const help = await runCommand([join(separate, 'update.sh'), '--help'], { env: emulation, cwd: '/' });
  expect(help).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('update.sh install') });
}, 120_000);
