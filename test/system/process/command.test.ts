import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import {
  CommandFailure,
  type CommandOptions,
  command,
  seconds,
} from '../../../shared/system/process/command.ts';
import { endProcess, isAlive, isSoonGone } from '../../support/processes.ts';
import { runProgram } from '../../support/run-program.ts';
import { fakeTool } from '../../support/scene/fake-tool.ts';
import { TempFolder } from '../../support/temp-folder.ts';

const runCommand = join(import.meta.dir, '../programs/run-command.ts');
const graceMs = 3_000;

const sh = (script: string, options: Partial<CommandOptions> = {}) =>
  command({ deadlineMs: 20_000, ...options })`/bin/sh -c ${script}`;

async function failureOf(work: Promise<unknown>): Promise<CommandFailure> {
  try {
    await work;
  } catch (error) {
    if (error instanceof CommandFailure) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

describe('command()', () => {
  const values = [
    'plain',
    '',
    ' two  blanks ',
    `it's "quoted" \`too\``,
    '$(touch owned) $HOME $$',
    'a\nb\n',
    '; exit 7 #',
    '> file & | *.? ~ !x [a] {b,c}',
    '\\n \\\\',
    '--flag=a b',
    'if',
    'A=b',
    'ä€😀',
    '\x01\t\r',
  ];
  const printArguments = `for word; do printf '%s\\0' "$word"; done`;

  test.each(values.map((value) => ({ value, shown: JSON.stringify(value) })))(
    'passes $shown as one word, as it is',
    async ({ value }) => {
      using folder = new TempFolder();
      const PATH = fakeTool(folder, 'arguments', printArguments);

      const run = command({ deadlineMs: 20_000, env: { PATH } });

      expect((await run`arguments ${value} --glued=${value}`).stdout).toBe(`${value}\0--glued=${value}\0`);
    },
  );

  test('passes each word of an array, and a number, when given them', async () => {
    using folder = new TempFolder();
    const PATH = fakeTool(folder, 'arguments', printArguments);

    const { stdout } = await command({ deadlineMs: 20_000, env: { PATH } })`arguments ${values} ${[]} ${7}`;

    expect(stdout.split('\0')).toEqual([...values, '7', '']);
  });

  test.each(['if', 'A=b', '.hidden tool', '/no/such/tool'])(
    'takes no value for syntax when it is the command: %s',
    async (name) => {
      const failure = await failureOf(command({ deadlineMs: 20_000 })`${name} x`);

      expect(failure.message).toBe(`"${name}" is not on this system`);
    },
  );

  test('says that a program is not on this system when it is missing', async () => {
    const failure = await failureOf(command({ deadlineMs: 20_000 })`no-such-tool --verbose ${'x'}`);

    expect(failure.message).toBe('"no-such-tool" is not on this system');
    expect(failure.exitCode).toBe(127);
  });

  test('keeps its own words when a program ends with 127 for a reason of its own', async () => {
    const words = '/bin/sh: error while loading shared libraries: libx.so: No such file or directory';

    const failure = await failureOf(sh(`echo '${words}' >&2; exit 127`));

    expect(failure.message).toBe(`"/bin/sh" ended with 127 (${words})`);
  });

  test.each([
    [
      'the folder is not there',
      { cwd: '/no/such/folder' },
      'x',
      'could not be started: no such file or folder',
    ],
    ['a value is too long', {}, 'x'.repeat(3_000_000), 'could not be started: E2BIG'],
    ['a value has a zero byte', {}, 'a\0b', 'was not started: an argument contains a zero byte'],
  ])('fails clearly when %s', async (_when, options, value, reason) => {
    const failure = await failureOf(command({ deadlineMs: 20_000, ...options })`echo ${value}`);

    expect(failure.message).toStartWith(`"echo" ${reason}`);
  });

  test('ends the message with the last line of stderr when a program fails', async () => {
    const failure = await failureOf(sh('echo one >&2; echo out; echo "two words" >&2; echo >&2; exit 3'));

    expect(failure.message).toBe('"/bin/sh" ended with 3 (two words)');
    expect(failure).toMatchObject({ exitCode: 3, stderr: 'one\ntwo words\n\n', outcome: 'failed' });
    expect((await failureOf(sh('exit 3'))).message).toBe('"/bin/sh" ended with 3');
  });

  test.each([
    ['in the list', { accept: [3, 4] }, 'exit 3', 3],
    ['zero, with a list without it', { accept: [3, 4] }, 'exit 0', 0],
    ['any', { accept: 'any' }, 'exit 200', 200],
  ] as const)('answers with the exit code when it is %s', async (_what, options, script, exitCode) => {
    expect((await sh(script, options)).exitCode).toBe(exitCode);
  });

  test('fails when the exit code is not in the list', async () => {
    expect((await failureOf(sh('exit 5', { accept: [3, 4] }))).exitCode).toBe(5);
  });

  test.each(['kill -9 $$', 'kill -9 $$; true', '/bin/sh -c "kill -9 \\$\\$"; exit $?'])(
    'names the signal when one has ended the program: %s',
    async (script) => {
      expect((await failureOf(sh(script))).message).toStartWith('"/bin/sh" was ended by SIGKILL');
    },
  );

  test('answers as a shell does where a signal has ended the command', async () => {
    const kill = ['-c', 'kill -9 $$'];
    const failure = await failureOf(command({ deadlineMs: 20_000 })`sh ${kill}`);
    expect([failure.message, failure.exitCode]).toEqual(['"sh" was ended by SIGKILL', 137]);
    expect((await command({ deadlineMs: 20_000, accept: 'any' })`sh ${kill}`).exitCode).toBe(137);
  });

  test('leaves no shell between us and the command', async () => {
    expect((await sh('echo "$PPID"')).stdout).toBe(`${process.pid}\n`);
  });

  test('stops at an unset variable', async () => {
    expect((await failureOf(command({ deadlineMs: 20_000 })`echo $NO_SUCH_VARIABLE`)).message).toContain(
      'NO_SUCH_VARIABLE',
    );
  });

  test('gives no stdin to read from', async () => {
    expect((await sh('cat; echo end')).stdout).toBe('end\n');
  });

  test('adds to the environment, and takes away what is undefined', async () => {
    process.env['HOMIE_TEST_GIVEN'] = 'given';
    try {
      const env = { HOMIE_TEST_GIVEN: undefined, HOMIE_TEST_ADDED: "it's" };
      const { stdout } = await sh('echo "[$(printenv HOMIE_TEST_GIVEN || true)] $HOMIE_TEST_ADDED $LC_ALL"', {
        env,
      });
      expect(stdout).toBe("[] it's C\n");
      expect((await sh('echo $HOMIE_TEST_GIVEN')).stdout).toBe('given\n');
    } finally {
      delete process.env['HOMIE_TEST_GIVEN'];
    }
  });

  test('runs in the folder that is given', async () => {
    using folder = new TempFolder();
    expect((await sh('pwd', { cwd: folder.path })).stdout).toBe(`${folder.path}\n`);
  });

  test('runs with the usual PATH when the environment is empty', async () => {
    const ended = await runProgram(runCommand, ['env | grep -v ^_= | sort']);

    expect(ended.stdout).toMatch(
      /^LC_ALL=C\nPATH=\/usr\/local\/sbin:\/usr\/local\/bin:\/usr\/sbin:\/usr\/bin:\/sbin:\/bin\nPWD=.*\n$/,
    );
    expect(ended.stderr).toBe('');
  });

  test('runs, and keeps its deadline, when there is neither bash nor ps on PATH', async () => {
    using folder = new TempFolder();
    folder.write('bin/nap', '#!/bin/sh\nread line </dev/zero\n', 0o755);
    const env = { PATH: folder.at('bin') };

    expect((await runProgram(runCommand, ['echo here'], env)).stdout).toBe('here\n');
    expect((await runProgram(runCommand, ['nap', '200'], env)).stdout).toBe(
      '"/bin/sh" did not end within 0.2 s\n',
    );
  });

  test("is not bent by zx's own variables when they are in the environment", async () => {
    const env = {
      ZX_PREFIX: 'echo prefix;',
      ZX_SHELL: '/bin/false',
      ZX_TIMEOUT: '1ms',
      ZX_VERBOSE: 'true',
      ZX_QUIET: 'false',
    };

    const ended = await runProgram(runCommand, ['/bin/sleep 0.1; echo here'], env);

    expect(ended).toMatchObject({ stdout: 'here\n', stderr: '' });
  });

  test('brings several MiB whole, letters on the seams of chunks too', async () => {
    const line = '$i äöü€😀 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx';
    const { stdout, stderr } = await sh(
      `i=0; while [ $i -lt 60000 ]; do echo "${line}"; echo "${line}" >&2; i=$((i+1)); done`,
    );

    const lines = Array.from({ length: 60_000 }, (_, i) => `${line}\n`.replace('$i', `${i}`)).join('');
    expect(lines.length).toBeGreaterThan(2_500_000);
    expect(stdout === lines).toBe(true);
    expect(stderr === lines).toBe(true);
  });

  test('hands on whole lines from either stream when onLine is given', async () => {
    const lines: string[] = [];
    const onLine = (line: string): number => lines.push(line);

    await sh(
      `printf 'one'; /bin/sleep 0.05; printf ' line\\ntwo\\n\\n'; printf '\\303'; /bin/sleep 0.05; printf '\\244\\n'; printf 'last'`,
      { onLine },
    );
    await sh('echo wrong >&2', { onLine });

    expect(lines).toEqual(['one line', 'two', '', 'ä', 'last', 'wrong']);
  });
});

/** A shell and its child have started by then, also on a busy machine. */
const shortMs = 2_000;

describe('command() with a deadline', () => {
  test('leaves no process of the group when child and grandchild ignore SIGTERM', async () => {
    using folder = new TempFolder();
    const startedMs = performance.now();

    const failure = await failureOf(
      sh(
        `trap '' TERM; echo $$ >child; /bin/sh -c 'echo $$ >grandchild; sleep 61; sleep 62' & sleep 63; sleep 64`,
        {
          deadlineMs: shortMs,
          cwd: folder.path,
        },
      ),
    );

    expect(failure.message).toBe('"/bin/sh" did not end within 2 s');
    expect(performance.now() - startedMs).toBeLessThan(shortMs + graceMs + 2_000);
    for (const name of ['child', 'grandchild'])
      expect(await isSoonGone(Number(folder.read(name)))).toBe(true);
  }, 15_000);

  test('does not wait for the grace when the child ends at SIGTERM, and has its last words', async () => {
    const startedMs = performance.now();

    const failure = await failureOf(
      sh('trap "echo tidied up >&2; exit 0" TERM; sleep 61 & wait', { deadlineMs: shortMs }),
    );

    expect(failure.message).toBe('"/bin/sh" did not end within 2 s');
    expect(failure.stderr).toBe('tidied up\n');
    expect(performance.now() - startedMs).toBeLessThan(shortMs + graceMs);
  }, 15_000);

  test('leaves no process of the group when the child ends at SIGTERM and a silent grandchild does not', async () => {
    using folder = new TempFolder();
    const grandchild = `/bin/sh -c 'trap "" TERM; echo $$ >grandchild; sleep 61; sleep 62' >/dev/null 2>&1`;

    await failureOf(sh(`${grandchild} & wait`, { deadlineMs: shortMs, cwd: folder.path }));

    expect(await isSoonGone(Number(folder.read('grandchild')))).toBe(true);
  }, 15_000);

  test('is not held up when a grandchild in a session of its own keeps our pipe after the deadline', async () => {
    using folder = new TempFolder();
    const startedMs = performance.now();
    try {
      const failure = await failureOf(
        sh(`setsid /bin/sh -c 'echo $$ >own; exec sleep 65' & sleep 66`, {
          deadlineMs: shortMs,
          cwd: folder.path,
        }),
      );

      expect(failure.message).toContain('did not end within 2 s');
      expect(performance.now() - startedMs).toBeLessThan(shortMs + graceMs + 2_000);
    } finally {
      endProcess(Number(folder.read('own')));
    }
  }, 15_000);

  test('answers soon after the child when a service that it has started keeps our pipe', async () => {
    using folder = new TempFolder();
    try {
      const { stdout } = await sh(
        `setsid /bin/sh -c 'echo $$ >own; exec sleep 65' & while ! [ -s own ]; do :; done; echo started`,
        { cwd: folder.path },
      );

      expect(stdout).toBe('started\n');
      expect(isAlive(Number(folder.read('own')))).toBe(true);
    } finally {
      endProcess(Number(folder.read('own')));
    }
  }, 10_000);
});

describe('command() with a signal', () => {
  test('ends the child when the signal is aborted', async () => {
    using folder = new TempFolder();
    const ending = new AbortController();
    const onLine = (): void => ending.abort();

    const failure = await failureOf(
      sh('echo $$ >child; echo ready; sleep 61; sleep 62', {
        signal: ending.signal,
        onLine,
        cwd: folder.path,
      }),
    );

    expect(failure.message).toBe('"/bin/sh" was ended, because this program was stopped');
    expect(await isSoonGone(Number(folder.read('child')))).toBe(true);
  });

  test('starts nothing when the signal was aborted before', async () => {
    using folder = new TempFolder();

    const failure = await failureOf(sh('echo >started', { signal: AbortSignal.abort(), cwd: folder.path }));

    expect(failure.message).toBe('"/bin/sh" was not started, because this program was stopped');
    expect(await Bun.file(folder.at('started')).exists()).toBe(false);
  });

  test('leaves no listener and no timer behind when the child has ended', async () => {
    const ended = await runProgram(join(import.meta.dir, '../programs/leave-nothing.ts'));

    expect(ended).toEqual({ exitCode: 0, signal: null, stdout: 'aborted 0 times\n', stderr: '' });
  });
});

describe('seconds()', () => {
  test.each([
    [300, '0.3 s'],
    [1_000, '1 s'],
    [1_500, '1.5 s'],
    [10_500, '11 s'],
    [900_000, '900 s'],
  ])('says %d ms in seconds', (ms, text) => {
    expect(seconds(ms)).toBe(text);
  });
});
