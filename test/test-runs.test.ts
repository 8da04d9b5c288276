import { expect, test } from 'bun:test';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { command } from '../shared/system/command.ts';
import { TempFolder } from './support/temp-folder.ts';

/** A test runner that fails where a word of its arguments is "$FAILS", and says what it was asked to run. */
const runner = `#!/bin/sh
echo "running: $*"
for word; do [ "$word" != "$FAILS" ] || exit 3; done
`;

async function run(script: string, words: readonly string[], fails: string) {
  using folder = new TempFolder();
  folder.write('node_modules/.bin/bun', runner, 0o755);
  mkdirSync(folder.at('tmp'));
  const { exitCode, stdout } = await command({
    deadlineMs: 10_000,
    accept: 'any',
    cwd: folder.path,
    env: { FAILS: fails, TMPDIR: folder.at('tmp') },
  })`sh ${join(import.meta.dir, script)} ${words}`;
  expect(readdirSync(folder.at('tmp'))).toEqual([]);
  return { exitCode, runs: stdout.split('running: ').length - 1 };
}

for (const { script, words, halves } of [
  { script: 'run.sh', words: [], halves: ['./test/model', './test'] },
  { script: 'lab/run.sh', words: ['power-cuts.lab', 'card.lab'], halves: ['power-cuts.lab', 'card.lab'] },
]) {
  test(`${script} passes where both of its runs pass, and fails where either does`, async () => {
    expect(await run(script, words, 'nothing')).toEqual({ exitCode: 0, runs: 2 });
    for (const half of halves) expect(await run(script, words, half)).toEqual({ exitCode: 3, runs: 2 });
  });
}
