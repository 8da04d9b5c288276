import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { update } from '../../../hooks/update.ts';
import { completeWords } from '../../../shared/system/terminal/completion.ts';
import { nativeHook } from '../../support/build/native-programs.ts';
import { Scene } from '../../support/scene/scene.ts';

/** The scripts in the shells that they are for. */

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
  scene.write('bin/update.sh', `#!/bin/sh\nexec '${nativeHook}' update.sh "$@"\n`, 0o755);
});
afterEach(() => scene[Symbol.dispose]());

function shell(name: 'bash' | 'zsh', script: string): string[] {
  const env = { PATH: `${scene.at('bin')}:/usr/bin:/bin`, HOME: scene.path };
  const flags = name === 'bash' ? ['--norc', '--noprofile'] : ['-f'];
  const { stdout, stderr } = Bun.spawnSync([name, ...flags, '-c', script], { env, cwd: scene.path });
  expect(stderr.toString()).toBe('');
  return stdout.toString().trim().split('\n');
}

const rows: [line: string, found: string[]][] = [
  ['sta', ['status']],
  ['re', ['restore', 'repair', 'report']],
  ['status --j', ['--json']],
  ['status --json --', ['--data', '--help']],
  ['completion ', ['bash', 'zsh']],
  ['log --lines ', []],
  ['install --reb', ['--reboot']],
  ['--fo', ['--force']],
  ['nothing-like-it', []],
];

function wordsOf(line: string): string[] {
  return line.split(' ');
}

describe('update.sh completion', () => {
  test.each(rows)('in bash, %j is completed to %j', (line, found) => {
    const words = ['update.sh', ...wordsOf(line)];
    const quoted = words.map((word) => `'${word}'`).join(' ');
    const completed = shell(
      'bash',
      `source <(update.sh completion bash); complete -p update.sh > /dev/null
       COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _homie_update; printf '%s\\n' "\${COMPREPLY[@]}"`,
    );
    expect(completed.filter((word) => word !== '').sort()).toEqual(found.toSorted());
  });

  test.each(rows)('in zsh, %j is completed to %j', (line, found) => {
    const words = ['update.sh', ...wordsOf(line)];
    const quoted = words.map((word) => `'${word}'`).join(' ');
    const completed = shell(
      'zsh',
      `autoload -Uz compinit && compinit -u -D; source <(update.sh completion zsh)
       [[ \${_comps[update.sh]} == _homie_update ]] || exit 1
       _describe() { print -l -- \${(P)2} }; _files() { print -- FILES }
       words=(${quoted}); CURRENT=${words.length}; _homie_update`,
    );
    const [first = ''] = completed;
    if (found.length === 0) expect(completed).toEqual(['FILES']);
    else expect(completed.map((one) => one.slice(0, one.indexOf(':'))).sort()).toEqual(found.toSorted());
    expect(first).not.toContain('\t');
  });

  test('ends with 2 for another shell', async () => {
    const ended = await scene.run(['update.sh', 'completion', 'fish']);
    expect(ended.reason).toStartWith('Cannot read the arguments: ');
    expect(ended.exitCode).toBe(2);
  });

  test('knows every command, and every option that is not given yet', () => {
    const commands = completeWords(update.spec, [''])
      .trim()
      .split('\n')
      .map((line) => line.split('\t')[0]);
    expect(commands).toEqual(update.spec.commands.map(({ name }) => name));
    for (const { name = '', options = {} } of update.spec.commands) {
      const found = completeWords(update.spec, [name, '--'])
        .trim()
        .split('\n')
        .map((line) => line.split('\t')[0]);
      expect(found.sort()).toEqual([...Object.keys(options), 'help'].map((option) => `--${option}`).sort());
    }
  });
});
