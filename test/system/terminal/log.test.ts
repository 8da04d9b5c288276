import { describe, expect, test } from 'bun:test';
import { closeSync, fstatSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLog } from '../../../shared/system/terminal/log.ts';
import { mayMount } from '../../support/privileges.ts';
import { runCommand } from '../../support/run-command.ts';
import { runProgram } from '../../support/run-program.ts';
import { onSmallDisk } from '../../support/scene/small-disk.ts';
import { TempFolder } from '../../support/temp-folder.ts';

const say = join(import.meta.dir, '../programs/say.ts');

/** What it writes into a file that stands for the journal's stream, its device and inode being as `stream` says. */
async function sayTo(
  folder: TempFolder,
  stream: (dev: number, ino: number) => string | undefined,
): Promise<string> {
  const descriptor = openSync(folder.at('stderr'), 'w');
  try {
    const { dev, ino } = fstatSync(descriptor);
    const JOURNAL_STREAM = stream(dev, ino);
    await Bun.spawn([process.execPath, say], {
      env: JOURNAL_STREAM === undefined ? {} : { JOURNAL_STREAM },
      stderr: descriptor,
    }).exited;
  } finally {
    closeSync(descriptor);
  }
  return folder.read('stderr');
}

describe('createLog()', () => {
  test('puts the priority before each line when stderr is the stream of the journal', async () => {
    using folder = new TempFolder();
    expect(await sayTo(folder, (dev, ino) => `${dev}:${ino}`)).toBe('<6>a line\n<4>a line\n<3>a line\n');
  });

  test.each([
    ['is of another inode', (dev: number, ino: number) => `${dev}:${ino + 1}`],
    ['is of another device', (dev: number, ino: number) => `${dev + 1}:${ino}`],
    ['is not set', () => undefined],
    ['is nonsense', () => 'journal'],
  ])('puts nothing before the line when JOURNAL_STREAM %s', async (_when, stream) => {
    using folder = new TempFolder();
    expect(await sayTo(folder, stream)).toBe('a line\na line\na line\n');
  });

  test('appends the same lines with time and program when a file is given, making its folder', async () => {
    using folder = new TempFolder();
    const before = Date.now();

    const { stderr } = await runProgram(say, [folder.at('logs/update.log')]);
    await runProgram(say, [folder.at('logs/update.log'), 'again']);

    expect(stderr).toBe('a line\na line\na line\n');
    const lines = folder.read('logs/update.log').trimEnd().split('\n');
    expect(lines.map((line) => line.slice(24))).toEqual([
      ...Array(3).fill(' say: a line'),
      ...Array(3).fill(' say: again'),
    ]);
    for (const line of lines) {
      expect(line.slice(0, 24)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(Date.parse(line.slice(0, 24))).toBeGreaterThanOrEqual(before);
    }
  });

  test.each([
    ['its folder cannot be made', '/proc/no/such/update.log', 'no such file or folder'],
    ['it is full', '/dev/full', 'no space left on the device'],
    ['it is a folder', '/proc', 'it is a folder'],
  ])('says once that the file cannot be written when %s, and continues', async (_when, file, reason) => {
    const { stderr, exitCode } = await runProgram(say, [file]);

    expect(stderr).toBe(`Cannot write the log "${file}": ${reason}\na line\na line\na line\n`);
    expect(exitCode).toBe(0);
  });

  test.skipIf(!mayMount)(
    'says it before the line that could not be written when the disk fills up',
    async () => {
      using folder = new TempFolder();
      await onSmallDisk(folder, 16, async ({ path }) => {
        const file = join(path, 'update.log');
        writeFileSync(file, 'x'.repeat(16 * 1024 - 60));

        const { stderr } = await runProgram(say, [file, 'twenty letters and on']);

        const complaint = `Cannot write the log "${file}": no space left on the device`;
        expect(stderr.match(/Cannot write/g)).toHaveLength(1);
        expect(stderr).toContain(`\n${complaint}\ntwenty`);
        expect(stderr).toEndWith('\ntwenty letters and on\n');
      });
    },
  );

  test.each([
    ['has several lines', 'one\n  two\r\n\n\tthree', 'one | two | three'],
    ['ends with line ends', 'one\n\n', 'one'],
    ['redraws its line', ' 10%\r 20%', ' 10% | 20%'],
    ['has a secret', 'GET https://me:secret@host/x?token=abc', 'GET https://***@host/x?token=***'],
  ])('says one clean line when the text %s', async (_what, text, line) => {
    using folder = new TempFolder();

    const { stderr } = await runProgram(say, [folder.at('log'), text]);

    expect(stderr).toBe(`${line}\n`.repeat(3));
    expect(folder.read('log').replace(/^\S+ /gm, '')).toBe(`say: ${line}\n`.repeat(3));
  });

  test('has no colours when stderr is no terminal', async () => {
    expect((await runProgram(say, [], { TERM: 'xterm-256color', FORCE_COLOR: '1' })).stderr).toBe(
      'a line\n'.repeat(3),
    );
  });

  test.skipIf(Bun.which('script') === null).each([
    [{ TERM: 'xterm' }, 'a line\r\n\x1b[33ma line\x1b[0m\r\n\x1b[31ma line\x1b[0m\r\n'],
    [{ TERM: 'xterm', NO_COLOR: '1' }, 'a line\r\n'.repeat(3)],
    [{ TERM: 'dumb' }, 'a line\r\n'.repeat(3)],
  ])('has colours when stderr is a terminal that wants them: %j', async (env, expected) => {
    const words = ['script', '-qec', `'${process.execPath}' '${say}'`, '/dev/null'];
    expect((await runCommand(words, { env })).stdout).toBe(expected);
  });
});

describe('step()', () => {
  test('says before and after, and hands on the answer, when the work succeeds', async () => {
    using folder = new TempFolder();
    const log = createLog('test');
    mkdirSync(folder.at('logs'));
    log.alsoTo(folder.at('logs/log'));

    const answer = await log.step('Making', 'Made', 'tea', async () => {
      expect(log.lastLine).toBe('Making tea');
      return 7;
    });

    expect(answer).toBe(7);
    expect(log.lastLine).toBe('Made tea');
  });

  test('hands on the failure and does not say that it was done when the work fails', async () => {
    const log = createLog('test');

    const work = log.step('Making', 'Made', 'tea', () => Promise.reject(new Error('no water')));

    await expect(work).rejects.toThrow('no water');
    expect(log.lastLine).toBe('Making tea');
  });
});
