import { expect, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { emulation, runsArm64 } from '../../../shared/packaging/emulation.ts';
import { command } from '../../../shared/system/process/command.ts';
import { isRoot } from '../../support/privileges.ts';
import { listTree, restore, temporaryFolder, verify } from './archive-tree.ts';
import { makeHardTree } from './hard-tree.ts';

const program = `
import { createArchive } from '${join(import.meta.dir, '../../../shared/data/archive/archive.ts')}';
import { print } from '${join(import.meta.dir, '../../../shared/system/terminal/print.ts')}';

async function main(): Promise<void> {
  const [folder = '', target = ''] = process.argv.slice(2);
  const { entries, leftOut } = await createArchive({ folder, target });
  print(1, JSON.stringify({ arch: process.arch, isEmpty: entries === 0, leftOut }));
}
await main();
`;

test.skipIf(!isRoot || !(await runsArm64()))(
  'createArchive() keeps its promise when it is compiled for the board',
  async () => {
    using temporary = temporaryFolder();
    const at = (name: string): string => join(temporary.path, name);
    const run = command({ deadlineMs: 240_000 });
    for (const name of ['config', 'restored']) mkdirSync(at(name));
    await makeHardTree(at('config'));
    const before = await listTree(at('config'));
    writeFileSync(at('program.ts'), program);

    const options = ['--compile', '--minify', '--bytecode', '--format=esm', '--target=bun-linux-arm64'];
    await run`${process.execPath} build ${options} ${at('program.ts')} --outfile ${at('program')}`;
    const { stdout } = await command({
      deadlineMs: 240_000,
      env: emulation,
    })`${at('program')} ${at('config')} ${at('x.tar.zst')}`;

    expect(JSON.parse(stdout)).toEqual({ arch: 'arm64', isEmpty: false, leftOut: [] });
    await verify(at('x.tar.zst'), 'config');
    await restore(at('x.tar.zst'), at('restored'));
    expect(await listTree(at('restored/config'))).toEqual(before);
  },
  300_000,
);
