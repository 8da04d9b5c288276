import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { type Ended, RunningProgram, runProgram, startProgram } from '../../support/run-program.ts';
import { TempFolder } from '../../support/temp-folder.ts';

const story = join(import.meta.dir, '../programs/story.ts');
const run = (ending: string, env: Record<string, string> = {}) => runProgram(story, [ending], env);

function lastLine(text: string): string | undefined {
  return text.trimEnd().split('\n').at(-1);
}

/** In reverse, each once, and told why. */
function undone(reason: string): string {
  return `undo the second: ${reason}\nundo the first: ${reason}\n`;
}

async function toldBy(signal: NodeJS.Signals, ending: string): Promise<Ended> {
  const program = startProgram(story, [ending]);
  await program.says('ready');
  program.kill(signal);
  return await program.ended();
}

describe('runProgram()', () => {
  test.each([
    ['done', 0],
    ['reboot-needed', 4],
  ])(
    'ends with the exit code of its outcome and says nothing when the story is %s',
    async (ending, exitCode) => {
      const ended = await run(ending);

      expect(ended).toEqual({ exitCode, signal: null, stdout: undone('done'), stderr: '' });
    },
  );

  test('says the cause, then the reason with its advice and no stack, when the story fails', async () => {
    const ended = await run('failed');

    expect(ended.stderr).toBe(
      '  tool: door 7 is bricked up\nCannot open "x": no such door. Use the window\n',
    );
    expect(ended.exitCode).toBe(11);
    expect(ended.stdout).toBe(undone('Cannot open "x": no such door'));
  });

  test.each([
    ['bug', 'TypeError', 'tell is not a function'],
    ['bug-before-the-promise', 'TypeError', 'a story that is no async function'],
    ['rejection', 'RangeError', 'not awaited'],
    ['bug-in-a-timer', 'TypeError', 'thrown in a timer'],
  ])(
    'shows a stack, says that it is a bug, undoes all and ends with 1 when there is a %s',
    async (ending, kind, words) => {
      const ended = await run(ending);

      expect(ended.stderr).toContain(kind);
      expect(ended.stderr).toContain('story.ts:');
      expect(lastLine(ended.stderr)).toStartWith('Cannot finish story: ');
      expect(lastLine(ended.stderr)).toContain(words);
      expect(lastLine(ended.stderr)).toEndWith(
        '(this is a bug of ours, please report it with the lines above)',
      );
      expect(ended.stdout).toMatch(/^undo the second: .+\nundo the first: .+\n$/);
      expect(ended.stdout).toContain(words);
      expect(ended.exitCode).toBe(1);
    },
  );

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGHUP', 129],
  ] as const)('undoes all and says so when %s stops it', async (signal, exitCode) => {
    const reason = `Cannot finish story: it was stopped by ${signal}`;

    const ended = await toldBy(signal, 'told-to-end');

    expect(ended).toEqual({
      exitCode,
      signal: null,
      stdout: `ready\n${undone(reason)}`,
      stderr: `${reason}\n`,
    });
  });

  test('keeps the outcome when the story was done anyway', async () => {
    const ended = await toldBy('SIGTERM', 'told-to-end-but-done');

    expect(ended).toEqual({ exitCode: 0, signal: null, stdout: `ready\n${undone('done')}`, stderr: '' });
  });

  test('ends a story that continues anyway, after the notice time, with the first reason', async () => {
    const reason = 'Cannot finish story: it was stopped by SIGTERM';
    const startedMs = performance.now();
    const program = startProgram(story, ['stubborn']);
    await program.says('ready');
    program.kill('SIGTERM');
    await program.says('told');
    program.kill('SIGINT');

    const ended = await program.ended();

    expect(ended).toEqual({
      exitCode: 143,
      signal: null,
      stdout: `ready\ntold\n${undone(reason)}`,
      stderr: `${reason}\n`,
    });
    expect(performance.now() - startedMs).toBeGreaterThan(4_900);
  }, 15_000);

  test('undoes all and ends with 1 when the deadline is over', async () => {
    const reason = 'Cannot finish story: it did not end within 0.1 s';

    const ended = await run('too-late');

    expect(ended).toEqual({ exitCode: 1, signal: null, stdout: undone(reason), stderr: `${reason}\n` });
  });

  test('tells of an undo that throws and does the rest, with the exit code of the story', async () => {
    const ended = await run('bad-undo');

    expect(ended.stderr).toBe('Cannot undo "fold the sky": it is too big\n');
    expect(ended.stdout).toBe(undone('done'));
    expect(ended.exitCode).toBe(0);
  });

  test('tells of a bug that strikes while it undoes, and does the rest', async () => {
    const ended = await run('bug-in-an-undo-timer');

    expect(ended.stderr).toContain('thrown in a timer of an undo (this is a bug of ours');
    expect(ended.stdout).toBe(undone('done'));
  });

  test.each([
    ['stdout and stderr are closed', '"$@" >&- 2>&-; echo "code $?"'],
    ['the reader of stdout has gone', '{ "$@" 2>/dev/null; echo "code $?" >&3; } | true'],
    ['the reader of stderr has gone', '{ "$@" 2>&1 >/dev/null; echo "code $?" >&3; } | true'],
    ['the disk of stderr is full', '"$@" >/dev/null 2>/dev/full; echo "code $?"'],
  ])('keeps its exit code when %s', async (_when, script) => {
    const words = ['/bin/sh', '-c', `exec 3>&1; ${script}`, 'sh'];

    const ended = await new RunningProgram([...words, process.execPath, story, 'chatty'], {}).ended();

    expect(ended.stdout).toBe('code 11\n');
  });

  test('appends one line to the trace when HOMIE_TRACE names a file', async () => {
    using folder = new TempFolder();
    const env = { HOMIE_TRACE: folder.at('trace') };

    await run('failed', env);
    await run('done', env);

    const lines = folder
      .read('trace')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toEqual([
      {
        program: 'story',
        exitCode: 11,
        ms: expect.any(Number),
        lastLine: 'Cannot open "x": no such door. Use the window',
      },
      { program: 'story', exitCode: 0, ms: expect.any(Number), lastLine: '' },
    ]);
  });

  test('keeps reason and exit code when the trace cannot be written', async () => {
    const ended = await run('failed', { HOMIE_TRACE: '/proc/no/such/folder' });

    expect(lastLine(ended.stderr)).toBe('Cannot open "x": no such door. Use the window');
    expect(ended.exitCode).toBe(11);
  });
});
