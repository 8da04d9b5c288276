import { describe, expect, test } from 'bun:test';
import { existsSync, statSync } from 'node:fs';
import { rotateWhereLong } from '../../../shared/system/files/log-rotation.ts';
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

  // Known to fail now and then: of two programs that find the log too long at once, the later one moves the new log away.
  // That is the programs' own fault, not this test's. `npm run test:repeat` leaves this file out until it is repaired.
  test('loses no line where several programs write and rotate at once', async () => {
    using folder = new TempFolder();
    const path = folder.write('logs/update.log', `${'x'.repeat(mebibyte - 2000)}\n`);
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
    for (const name of [0, 1, 2, 3])
      for (let line = 0; line < 60; line += 1) expect(all).toContain(`p${name}: line ${line}\n`);
    expect(existsSync(folder.at('logs/update.log.2'))).toBe(false);
  });
});
