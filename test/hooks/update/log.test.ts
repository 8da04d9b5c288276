import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { appendFileSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { nativeHook } from '../../support/build/native-programs.ts';
import { statusJson } from '../../support/scene/rauc-status.ts';
import { type Ended, Scene } from '../../support/scene/scene.ts';
import { until } from '../../support/until.ts';

let scene: Scene;
let file: string;
beforeEach(() => {
  scene = new Scene();
  file = scene.write('data/logs/update.log', '');
});
afterEach(() => scene[Symbol.dispose]());

function log(...args: string[]): Promise<Ended> {
  return scene.run(['update.sh', 'log', ...args]);
}

describe('update.sh log', () => {
  test('shows the last 50 lines, or as many as are asked for', async () => {
    const lines = Array.from({ length: 120 }, (_, index) => `line ${index}`);
    writeFileSync(file, `${lines.join('\n')}\nhalf a li`);
    expect((await log()).stdout).toBe(`${lines.slice(-50).join('\n')}\n`);
    expect((await log('--lines', '2')).stdout).toBe('line 118\nline 119\n');
    expect((await log('--lines', '0')).stdout).toBe('');
  });

  test('shows the controls of a damaged log escaped, and so does why', async () => {
    writeFileSync(file, 'a\0b\x1b[31mred\x07\tc\rd\x7f\u009b2J\n');
    const shown = 'a\\x00b\\x1b[31mred\\x07\tc\\x0dd\\x7f\\x9b2J\n';
    expect((await log()).stdout).toBe(shown);
    scene.write('rauc-status.json', statusJson({ booted: 'rootfs.0' }));
    expect((await scene.run(['update.sh', 'why'])).stdout).toContain(shown);
  });

  test('says nothing, with 0, when there is no log', async () => {
    scene.remove('data/logs');
    expect(await log()).toMatchObject({ stdout: '', stderr: '', exitCode: 0 });
  });

  test('reads only the end of a log of any size', async () => {
    writeFileSync(file, '');
    truncateSync(file, 3 * 1024 * 1024 * 1024);
    appendFileSync(file, '\nthe last line\n');
    expect(statSync(file).blocks * 512).toBeLessThan(1024 * 1024);
    expect((await log('--lines', '1')).stdout).toBe('the last line\n');
  });

  test('--json gives one object a line, and keeps a line of another form whole', async () => {
    writeFileSync(file, '2026-01-02T03:04:05.000Z post-activate: Rolling back: "x"\nby hand\n');
    expect(
      (await log('--json')).stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { format: 1, at: '2026-01-02T03:04:05.000Z', program: 'post-activate', text: 'Rolling back: "x"' },
      { format: 1, at: null, program: null, text: 'by hand' },
    ]);
  });

  test.each(['-1', '1.5', '1001', 'x'])('ends with 2 when --lines is %s', async (lines) => {
    const ended = await log(`--lines=${lines}`);
    expect(ended.reason).toStartWith('Cannot read --lines: expected ');
    expect(ended.exitCode).toBe(2);
  });
});

describe('update.sh whose stdout takes nothing', () => {
  /** Runs the shell words with the program as `$0`. */
  const runIn = (words: string) =>
    Bun.spawnSync(['sh', '-c', words, nativeHook], {
      cwd: '/',
      env: scene.programEnv,
      stdin: 'ignore',
      timeout: 20_000,
    });

  test.each(['update.sh log', 'update.sh history', 'update.sh status --json', 'update.sh --help', '--help'])(
    'ends with 1 and one line when the disk behind it is full: %s',
    (words) => {
      writeFileSync(file, 'a line\n');
      scene.write('rauc-status.json', statusJson({ booted: 'rootfs.0' }));
      const { exitCode, stderr } = runIn(`exec "$0" ${words} > /dev/full`);
      expect(stderr.toString()).toBe('Cannot write to "stdout": no space left on the device\n');
      expect(exitCode).toBe(1);
    },
  );

  test.each(['log --lines 1000', 'log --follow --lines 1000'])(
    'ends with 0 and says nothing when its reader is gone: %s',
    (words) => {
      writeFileSync(file, `${'x'.repeat(200)}\n`.repeat(1000));
      const { stdout, stderr } = runIn(`{ "$0" update.sh ${words}; echo "ended with $?" >&2; } | head -n 1`);
      expect(stdout.toString()).toBe(`${'x'.repeat(200)}\n`);
      expect(stderr.toString()).toBe('ended with 0\n');
    },
  );
});

describe('update.sh log --follow', () => {
  /** Waits for what it has said so far; the program writes each line at once. */
  async function follow(work: (seen: (line: string) => Promise<void>) => Promise<void>): Promise<Ended> {
    const said = scene.at('said');
    // Into a file, so that what is there can be seen while it runs.
    scene.write('follow', `#!/bin/sh\nexec "$@" > '${said}'\n`, 0o755);
    const child = Bun.spawn([scene.at('follow'), nativeHook, 'update.sh', 'log', '--follow'], {
      cwd: '/',
      env: scene.programEnv,
      stdin: 'ignore',
      stderr: 'pipe',
    });
    try {
      await work((line) => until(() => scene.has('said') && scene.read('said').split('\n').includes(line)));
      child.kill('SIGINT');
      const [stderr, exitCode] = await Promise.all([child.stderr.text(), child.exited]);
      return { exitCode, stdout: scene.read('said'), stderr, reason: stderr.trimEnd() };
    } finally {
      child.kill('SIGKILL');
    }
  }

  test('shows new lines, also after a rotation and a truncation, and ends with Ctrl-C', async () => {
    writeFileSync(file, 'before\n');
    const ended = await follow(async (seen) => {
      await seen('before');
      appendFileSync(file, 'half ');
      appendFileSync(file, 'and half — ganz\n');
      await seen('half and half — ganz');

      renameSync(file, `${file}.1`);
      appendFileSync(`${file}.1`, 'still in the old one\n');
      await seen('still in the old one');
      writeFileSync(file, 'in the new one\n');
      await seen('in the new one');

      truncateSync(file, 0);
      appendFileSync(file, 'cut\n');
      await seen('cut');
    });
    expect(ended.stdout.split('\n')).toEqual([
      'before',
      'half and half — ganz',
      'still in the old one',
      'in the new one',
      'cut',
      '',
    ]);
    expect(ended.stderr).not.toContain('bug');
  });

  test('waits for a log that is not there yet', async () => {
    scene.remove('data/logs/update.log');
    await follow(async (seen) => {
      await until(() => scene.has('said'));
      writeFileSync(file, 'the first line\n');
      await seen('the first line');
    });
  });
});
