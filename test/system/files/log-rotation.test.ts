import { describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, rmdirSync, statSync } from 'node:fs';
import { rotateWhereLong, startNewLog } from '../../../shared/system/files/log-rotation.ts';
import { createLog } from '../../../shared/system/terminal/log.ts';
import { followLog, tailOf } from '../../../shared/update/report/log-tail.ts';
import { TempFolder } from '../../support/temp-folder.ts';
import { until } from '../../support/until.ts';

const mebibyte = 1024 * 1024;
const long = (name: string): string => `${'some line\n'.repeat(mebibyte / 10)}it is the ${name}\n`;

describe('rotateWhereLong()', () => {
  test('keeps the three before the one that is begun anew, and no more', () => {
    using folder = new TempFolder();
    const path = folder.at('update.log');
    for (const name of ['first', 'second', 'third', 'fourth', 'fifth']) {
      folder.write('update.log', long(name));
      rotateWhereLong(path);
    }
    expect(existsSync(path)).toBe(false);
    const kept = [1, 2, 3].map((number) => folder.read(`update.log.${number}`).split(' ').at(-1)?.trim());
    expect(kept).toEqual(['fifth', 'fourth', 'third']);
    expect(existsSync(folder.at('update.log.4'))).toBe(false);
  });

  test('leaves the log that another program has started since it was found too long', () => {
    using folder = new TempFolder();
    const path = folder.write('update.log', 'the first line of the new one\n');
    folder.write('update.log.1', long('one before'));
    startNewLog(path);
    expect(folder.read('update.log')).toBe('the first line of the new one\n');
    expect(existsSync(folder.at('update.log.2'))).toBe(false);
  });

  test('says nothing when no log has the name any more', () => {
    using folder = new TempFolder();
    expect(() => startNewLog(folder.at('update.log'))).not.toThrow();
  });

  test('keeps all the older ones when a program was killed between two renames', () => {
    using folder = new TempFolder();
    const path = folder.write('update.log', long('fourth'));
    folder.write('update.log.2', 'third\n');
    folder.write('update.log.3', 'second\n');
    rotateWhereLong(path);
    expect(folder.read('update.log.1')).toEndWith('fourth\n');
    expect([2, 3].map((number) => folder.read(`update.log.${number}`))).toEqual(['third\n', 'second\n']);
  });

  test('leaves one alone that is short, or is not there', () => {
    using folder = new TempFolder();
    rotateWhereLong(folder.at('update.log'));
    folder.write('update.log', 'a line\n');
    rotateWhereLong(folder.at('update.log'));
    expect(folder.read('update.log')).toBe('a line\n');
    expect(existsSync(folder.at('update.log.1'))).toBe(false);
  });
});

describe('the log of a program', () => {
  test('stays bounded, is followed over the change, and its tail has the lines before it', async () => {
    using folder = new TempFolder();
    const path = folder.write('logs/update.log', long('before'));
    const log = createLog('update.sh');
    const said: string[] = [];
    const ending = new AbortController();
    const following = followLog(path, 1, (line) => said.push(line), ending.signal).catch(() => {});
    await until(() => said.length === 1);
    log.alsoTo(path);
    log.info('after');
    log.info('and more');
    await until(() => said.length === 3);
    ending.abort();
    await following;
    const last = (line: string): string => line.split(/: | the /).at(-1) ?? '';
    expect(said.map(last)).toEqual(['before', 'after', 'and more']);
    expect(tailOf(path, 3).map(last)).toEqual(['before', 'after', 'and more']);
    expect(statSync(path).size).toBeLessThan(1000);
  });

  test('is written again after a line that could not be written', () => {
    using folder = new TempFolder();
    const path = folder.at('logs/update.log');
    const log = createLog('update.sh');
    log.alsoTo(path);
    mkdirSync(path);
    log.info('one');
    rmdirSync(path);
    log.info('two');
    expect(folder.read('logs/update.log')).toEndWith(' update.sh: two\n');
  });

  test('is written when it cannot be rotated', () => {
    using folder = new TempFolder();
    const path = folder.write('logs/update.log', long('before'));
    mkdirSync(folder.at('logs/update.log.1/x'), { recursive: true });
    mkdirSync(folder.at('logs/update.log.2/x'), { recursive: true });
    mkdirSync(folder.at('logs/update.log.3/x'), { recursive: true });
    const log = createLog('update.sh');
    log.alsoTo(path);
    log.info('after');
    expect(folder.read('logs/update.log')).toEndWith(' update.sh: after\n');
  });

  test('loses no line where several programs write and rotate at once, again and again', async () => {
    for (let round = 0; round < 25; round += 1) {
      using folder = new TempFolder();
      const path = folder.write('logs/update.log', `${'x'.repeat(mebibyte - round * 100)}\n`);
      const program = folder.write(
        'write.ts',
        `import { createLog } from ${JSON.stringify(new URL('../../../shared/system/terminal/log.ts', import.meta.url).pathname)};
const log = createLog('p' + process.argv[2]);
log.alsoTo(${JSON.stringify(path)});
for (let line = 0; line < 60; line += 1) log.info('line ' + line);
`,
      );
      const children = [0, 1, 2, 3].map((name) =>
        Bun.spawn([process.execPath, program, String(name)], { stdout: 'ignore', stderr: 'ignore' }),
      );
      await Promise.all(children.map((child) => child.exited));
      const all = folder.read('logs/update.log') + folder.read('logs/update.log.1');
      const lost = [0, 1, 2, 3].flatMap((name) =>
        Array.from({ length: 60 }, (_, line) => `p${name}: line ${line}\n`).filter(
          (line) => !all.includes(line),
        ),
      );
      expect(lost).toEqual([]);
      expect(existsSync(folder.at('logs/update.log.2'))).toBe(false);
    }
  }, 60_000);
});
