import { describe, expect, test } from 'bun:test';
import { closeSync, existsSync, openSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../../shared/system/failure.ts';
import { tryFlock } from '../../../shared/system/files/libc.ts';
import { isLock, type Lock, lockHolder, tryLock } from '../../../shared/system/process/lock.ts';
import { mayMount } from '../../support/privileges.ts';
import { endProcess, isAlive } from '../../support/processes.ts';
import { type RunningProgram, runProgram, startProgram } from '../../support/run-program.ts';
import { onSmallDisk } from '../../support/scene/small-disk.ts';
import { TempFolder } from '../../support/temp-folder.ts';

const holdLock = join(import.meta.dir, '../programs/hold-lock.ts');

async function holder(path: string, what = 'hold'): Promise<RunningProgram> {
  const program = startProgram(holdLock, [path, what]);
  await program.says('held');
  return program;
}

async function end(program: RunningProgram): Promise<string> {
  program.kill('SIGKILL');
  return (await program.ended()).stdout;
}

function take(path: string): Lock {
  const lock = tryLock(path, 'test');
  if (!isLock(lock)) throw new Error(`held by ${JSON.stringify(lock)}`);
  return lock;
}

describe('tryLock()', () => {
  test('answers with the holder when another process has the lock', async () => {
    using folder = new TempFolder();
    const path = folder.at('run/update.lock');
    const program = await holder(path);
    try {
      expect(tryLock(path, 'test')).toEqual({ program: 'update.sh', pid: program.pid });
      expect(JSON.parse((await runProgram(holdLock, [path])).stdout)).toEqual({
        program: 'update.sh',
        pid: program.pid,
      });
      expect(lockHolder(path)).toEqual({ program: 'update.sh', pid: program.pid });
    } finally {
      await end(program);
    }
  });

  test('answers with the holder when this process has it', () => {
    using folder = new TempFolder();
    const lock = take(folder.at('lock'));
    try {
      expect(tryLock(folder.at('lock'), 'second')).toEqual({ program: 'test', pid: process.pid });
    } finally {
      lock.release();
    }
  });

  test('takes the lock when its holder was killed, even while a child of it lives on', async () => {
    using folder = new TempFolder();
    const said = await end(await holder(folder.at('lock'), 'child'));
    const child = Number(/child (\d+)/.exec(said)?.[1]);
    try {
      expect(isAlive(child)).toBe(true);
      take(folder.at('lock')).release();
    } finally {
      endProcess(child);
    }
  });

  test('takes the lock when the holder has released it and lives on', async () => {
    using folder = new TempFolder();
    const program = await holder(folder.at('lock'), 'release');
    try {
      take(folder.at('lock')).release();
    } finally {
      await end(program);
    }
  });

  test('takes the lock when the file holds what a killed program has left', () => {
    using folder = new TempFolder();
    folder.write('lock', '{"program":"update.sh","pid":1,"installing":"9.9.9"}\n');

    const lock = take(folder.at('lock'));

    expect(JSON.parse(folder.read('lock'))).toEqual({ program: 'test', pid: process.pid });
    lock.release();
  });

  test('takes the lock after a slow reader', async () => {
    using folder = new TempFolder();
    const program = await holder(folder.at('lock'), 'look');
    take(folder.at('lock')).release();
    await program.ended();
  });

  test('says who it can not name when the holder has written nothing yet', () => {
    using folder = new TempFolder();
    const descriptor = openSync(folder.write('lock', ''), 'r');
    try {
      expect(tryFlock(descriptor)).toBe(true);
      expect(tryLock(folder.at('lock'), 'test')).toEqual({ program: 'another program', pid: 0 });
    } finally {
      closeSync(descriptor);
    }
  });

  test('fails with the path when the lock cannot be opened', () => {
    using folder = new TempFolder();
    folder.write('file', '');
    const attempt = (): unknown => tryLock(folder.at('file/lock'), 'test');

    expect(attempt).toThrow(Failure);
    expect(attempt).toThrow(`Cannot open the lock "${folder.at('file/lock')}": `);
  });

  test.skipIf(!mayMount)('fails, and holds nothing, when the holder cannot be written', async () => {
    using folder = new TempFolder();
    await onSmallDisk(folder, 4, ({ path }) => {
      const attempt = (): unknown => tryLock(join(path, 'lock'), 'x'.repeat(10_000));

      expect(attempt).toThrow(`Cannot write the lock "${join(path, 'lock')}": no space left on the device`);
      expect(lockHolder(join(path, 'lock'))).toBeUndefined();
    });
  });
});

describe('note()', () => {
  test('says what is being installed, in place of what was said before', async () => {
    using folder = new TempFolder();
    const program = await holder(folder.at('lock'), 'note');
    try {
      expect(lockHolder(folder.at('lock'))).toEqual({
        program: 'update.sh',
        pid: program.pid,
        installing: '1.2.0',
      });
    } finally {
      await end(program);
    }

    const lock = take(folder.at('lock'));
    for (const version of ['10.20.30-long', '1.0.0', undefined]) {
      lock.note(version);
      const expected = version === undefined ? {} : { installing: version };
      expect(JSON.parse(folder.read('lock'))).toEqual({ program: 'test', pid: process.pid, ...expected });
    }
    lock.release();
  });
});

describe('release()', () => {
  test('empties the file, and may be called twice without closing what is not its own', () => {
    using folder = new TempFolder();
    const lock = take(folder.at('lock'));

    lock.release();
    const descriptor = openSync(folder.write('other', 'mine'), 'r+');
    lock.release();

    expect(folder.read('lock')).toBe('');
    expect(folder.read('other')).toBe('mine');
    closeSync(descriptor);
  });
});

describe('lockHolder()', () => {
  test('makes no file and no folder when there is none', () => {
    using folder = new TempFolder();
    expect(lockHolder(folder.at('run/update.lock'))).toBeUndefined();
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test('leaves no trace when it is free', () => {
    using folder = new TempFolder();
    const path = folder.write('lock', 'left behind', 0o644);
    const before = statSync(path);

    expect(lockHolder(path)).toBeUndefined();

    expect(folder.read('lock')).toBe('left behind');
    expect(statSync(path).mtimeMs).toBe(before.mtimeMs);
    take(path).release();
  });

  test('has no holder after the holder was killed', async () => {
    using folder = new TempFolder();
    await end(await holder(folder.at('lock')));

    expect((await runProgram(holdLock, [folder.at('lock'), 'ask'])).stdout).toBe('"nobody"\n');
    expect(existsSync(folder.at('lock'))).toBe(true);
  });
});
