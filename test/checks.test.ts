import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { project } from '../shared/packaging/project.ts';
import { TempFolder } from './support/temp-folder.ts';

/** The checks that look at their machine first, with stand-ins for what they call. */
function run(script: string, fakes: Record<string, string>, words: readonly string[] = []) {
  using folder = new TempFolder();
  for (const [name, body] of Object.entries(fakes)) folder.write(name, `#!/bin/sh\n${body}\n`, 0o755);
  const { exitCode, stdout, stderr } = Bun.spawnSync(['sh', join(import.meta.dir, script), ...words], {
    cwd: folder.path,
    env: { PATH: `${folder.at('bin')}:/usr/bin:/bin` },
  });
  return { exitCode, said: `${stdout}${stderr}`.trim() };
}

describe('knip.sh', () => {
  const withParser = { 'node_modules/.bin/bun': '[ "$1" = --eval ] || { echo "unused: $FOUND"; exit 3; }' };
  const without = (node: string) => ({
    'node_modules/.bin/bun': '[ "$1" != --eval ] || exit 1; echo "looks"',
    'bin/node': `echo ${node}`,
  });

  test('says what knip says, where its parser is installed', () => {
    for (const words of [[], ['must']])
      expect(run('knip.sh', withParser, words)).toEqual({ exitCode: 3, said: 'unused:' });
  });

  test.each([
    ['v18.20.4', [], 0, 'Dead code is not looked for'],
    ['v18.20.4', ['must'], 1, 'Cannot look for dead code'],
    ['v20.19.0', [], 1, 'Cannot look for dead code'],
    ['v22.12.0', ['must'], 1, 'Cannot look for dead code'],
  ])('without its parser, node %s, %j: %d', (node, words, exitCode, said) => {
    expect(run('knip.sh', without(node), words)).toEqual({ exitCode, said: expect.stringContaining(said) });
  });
});

describe('audit.sh', () => {
  const npm = (exitCode: number, said: string) => ({
    'bin/npm': `[ "$1" = audit ] || { echo https://registry/; exit 0; }\necho "${said}"\nexit ${exitCode}`,
  });

  test.each([
    ['no hole', 0, 'found 0 vulnerabilities', 0, 'found 0 vulnerabilities'],
    ['a hole', 1, '1 low severity vulnerability', 1, '1 low severity vulnerability'],
    [
      'no answer',
      1,
      'npm error audit endpoint returned an error',
      0,
      'Known holes are not looked for: the registry https://registry/ does not answer npm audit',
    ],
    ['another failure', 1, 'npm error This command requires an existing lockfile.', 1, 'lockfile'],
  ])('with %s', (_what, ends, said, exitCode, told) => {
    expect(run('audit.sh', npm(ends, said))).toEqual({ exitCode, said: expect.stringContaining(told) });
  });
});

describe('.ci/run', () => {
  /** Each of its npm scripts says how its tests went; the one that is named fails. */
  function runCi(fails: string, said = '3 passed, 0 failed'): { exitCode: number; last: string } {
    using folder = new TempFolder();
    const script = readFileSync(join(project.root, '.ci/run'), 'utf8');
    const npm = `for word; do case "$word" in *:*|check|coverage) name=$word; break ;; esac; done
case "$name" in test:*) echo "${said}" ;; esac
[ "$name" != "${fails}" ] || exit 7`;
    folder.write('.ci/run', script, 0o755);
    folder.write('shared/packaging/prepare.sh', '');
    folder.write('test/audit.sh', '');
    folder.write('bin/npm', `#!/bin/sh\n${npm}\n`, 0o755);
    const env = { PATH: `${folder.at('bin')}:/usr/bin:/bin`, TMPDIR: folder.at('bin') };
    const { exitCode, stdout } = Bun.spawnSync([folder.at('.ci/run')], { env });
    expect(readdirSync(folder.at('bin'))).toEqual(['npm']);
    return { exitCode, last: stdout.toString().trim().split('\n').at(-1) ?? '' };
  }

  test('ends with the count of all its runs', () => {
    expect(runCi('nothing')).toEqual({ exitCode: 0, last: '15 passed, 0 failed' });
    expect(runCi('test:all', '3 passed, 1 failed, 1 skipped')).toEqual({
      exitCode: 7,
      last: expect.stringMatching(/^\d+ passed, \d failed, \d skipped$/),
    });
  });

  test.each(['check', 'test:newcomer', 'coverage', 'test:all', 'test:lab'])(
    'fails where %s does',
    (script) => {
      const { exitCode, last } = runCi(script);
      expect(exitCode).toBe(7);
      expect(last).toMatch(/^\d+ passed, 1 failed$/);
    },
  );
});
