import { describe, expect, test } from 'bun:test';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import {
  appendLine,
  copyDurably,
  isSameFile,
  makeFolder,
  renameDurably,
  writeDurably,
} from '../../../shared/system/files/durable-file.ts';
import { mayMount } from '../../support/privileges.ts';
import { startProgram } from '../../support/run-program.ts';
import { onSmallDisk } from '../../support/scene/small-disk.ts';
import { TempFolder } from '../../support/temp-folder.ts';

const modeOf = (path: string): number => statSync(path).mode & 0o7777;

function openBelow(path: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((name) => {
    const target = linkOf(`/proc/self/fd/${name}`);
    return target.startsWith(path) ? [target] : [];
  });
}

/** The descriptor that lists the folder is gone by the time it is asked for. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function codeOf(work: () => void): string {
  try {
    work();
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
  return 'no error';
}

/** Both ways to put a file in place keep the same promise. */
const ways = [
  {
    way: 'writeDurably()',
    put: (path: string, content: string, mode: number): void => writeDurably(path, content, mode),
  },
  {
    way: 'copyDurably()',
    put: (path: string, content: string, mode: number): void => {
      using source = new TempFolder();
      copyDurably(source.write('source', content, 0o600), path, mode);
    },
  },
];

describe.each(ways)('$way', ({ put }) => {
  test.each(['644', '600', '755', '777', '400', '666'])(
    'sets the content and exactly the mode when it is %s',
    (octal) => {
      const mode = Number.parseInt(octal, 8);
      using folder = new TempFolder();
      const umask = process.umask(0o077);
      try {
        put(folder.at('file'), 'all of it\n', mode);
      } finally {
        process.umask(umask);
      }

      expect(folder.read('file')).toBe('all of it\n');
      expect(modeOf(folder.at('file'))).toBe(mode);
      expect(readdirSync(folder.path)).toEqual(['file']);
    },
  );

  test('replaces content and mode when the file is there', () => {
    using folder = new TempFolder();
    folder.write('file', 'a much longer old content', 0o600);

    put(folder.at('file'), 'new', 0o644);

    expect(folder.read('file')).toBe('new');
    expect(modeOf(folder.at('file'))).toBe(0o644);
  });

  test('replaces a link, and leaves what it leads to alone', () => {
    using folder = new TempFolder();
    folder.write('elsewhere', 'mine');
    symlinkSync('elsewhere', folder.at('file'));

    put(folder.at('file'), 'new', 0o644);

    expect(folder.read('elsewhere')).toBe('mine');
    expect(statSync(folder.at('file')).isFile()).toBe(true);
    expect(folder.read('file')).toBe('new');
  });

  test('is not misled by a part that was left with another mode', () => {
    using folder = new TempFolder();
    folder.write(`file.${process.pid}.part`, 'torn by a power cut and longer than ours', 0o600);

    put(folder.at('file'), 'new', 0o644);

    expect(folder.read('file')).toBe('new');
    expect(modeOf(folder.at('file'))).toBe(0o644);
    expect(readdirSync(folder.path)).toEqual(['file']);
  });

  test.each([
    ['there is no folder', 'missing/file', 'ENOENT'],
    ['a file stands where a folder should', 'a-file/file', 'ENOTDIR'],
    ['a folder stands where the file should', 'a-folder', 'EISDIR'],
  ])('says what the system says and leaves nothing behind when %s', (_when, name, code) => {
    using folder = new TempFolder();
    folder.write('a-file', '');
    mkdirSync(folder.at('a-folder'));

    expect(codeOf(() => put(folder.at(name), 'new', 0o644))).toBe(code);

    expect(readdirSync(folder.path).sort()).toEqual(['a-file', 'a-folder']);
    expect(openBelow(folder.path)).toEqual([]);
  });

  test.skipIf(!mayMount)('keeps the old file and no part of the new when the disk is full', async () => {
    using folder = new TempFolder();
    await onSmallDisk(folder, 64, ({ path }) => {
      writeFileSync(join(path, 'file'), 'old');

      expect(codeOf(() => put(join(path, 'file'), 'x'.repeat(100_000), 0o644))).toBe('ENOSPC');

      expect(readdirSync(path)).toEqual(['file']);
      expect(readFileSync(join(path, 'file'), 'utf8')).toBe('old');
      expect(openBelow(folder.path)).toEqual([]);
    });
  });

  test.skipIf(!mayMount)('keeps the old file when the file system is read-only', async () => {
    using folder = new TempFolder();
    await onSmallDisk(folder, 64, async (disk) => {
      writeFileSync(join(disk.path, 'file'), 'old');
      await disk.makeReadOnly();

      expect(codeOf(() => put(join(disk.path, 'file'), 'new', 0o644))).toBe('EROFS');
      expect(readdirSync(disk.path)).toEqual(['file']);
      expect(readFileSync(join(disk.path, 'file'), 'utf8')).toBe('old');
    });
  });
});

describe('writeDurably()', () => {
  test('writes bytes as they are, and an empty file, when given them', () => {
    using folder = new TempFolder();
    writeDurably(folder.at('bytes'), Uint8Array.of(0, 255, 10));
    writeDurably(folder.at('empty'), '');

    expect([...readFileSync(folder.at('bytes'))]).toEqual([0, 255, 10]);
    expect(statSync(folder.at('empty')).size).toBe(0);
  });

  test('leaves the old or the new content whole when it is killed', async () => {
    using folder = new TempFolder();
    for (let round = 0; round < 3; round += 1) {
      const program = startProgram(join(import.meta.dir, '../programs/write-for-ever.ts'), [
        folder.at('file'),
      ]);
      await program.says('ready');
      program.kill('SIGKILL');
      await program.ended();

      expect(folder.read('file')).toMatch(/^(a{2000000}|b{2000000})$/);
    }
  }, 20_000);
});

describe('copyDurably()', () => {
  test('says that the source is missing, with the target as it was', () => {
    using folder = new TempFolder();
    folder.write('target', 'old');

    expect(codeOf(() => copyDurably(folder.at('no-source'), folder.at('target'), 0o644))).toBe('ENOENT');

    expect(folder.read('target')).toBe('old');
    expect(readdirSync(folder.path)).toEqual(['target']);
  });

  test('follows a link to its source', () => {
    using folder = new TempFolder();
    folder.write('source', 'content');
    symlinkSync('source', folder.at('link'));

    copyDurably(folder.at('link'), folder.at('target'), 0o644);

    expect(statSync(folder.at('target')).isFile()).toBe(true);
    expect(folder.read('target')).toBe('content');
  });
});

describe('renameDurably()', () => {
  test('puts the file under its new name, in place of what was there', () => {
    using folder = new TempFolder();
    folder.write('bundle', 'old');
    folder.write('bundle.part', 'new');

    renameDurably(folder.at('bundle.part'), folder.at('bundle'));

    expect(readdirSync(folder.path)).toEqual(['bundle']);
    expect(folder.read('bundle')).toBe('new');
  });
});

describe('appendLine()', () => {
  test.each([
    ['there is no file', undefined, 'new\n'],
    ['the file is empty', '', 'new\n'],
    ['its last line is closed', 'old\n', 'old\nnew\n'],
    ['its last line is torn', 'old\n{"tor', 'old\n{"tor\nnew\n'],
  ])('makes the line stand alone when %s', (_when, content, expected) => {
    using folder = new TempFolder();
    if (content !== undefined) folder.write('log', content);

    appendLine(folder.at('log'), 'new');

    expect(folder.read('log')).toBe(expected);
  });

  test('leaves no descriptor open when it cannot write', () => {
    for (let round = 0; round < 5; round += 1)
      expect(codeOf(() => appendLine('/dev/full', 'x'))).toBe('ENOSPC');
    expect(openBelow('/dev/full')).toEqual([]);
  });
});

describe('isSameFile()', () => {
  const mebibyte = 'x'.repeat(1024 * 1024);
  test.each([
    ['the bytes are the same', 'abc', 'abc', true],
    ['both are empty', '', '', true],
    ['one byte differs', 'abc', 'abd', false],
    ['one is longer', 'abc', 'abcd', false],
    ['more than a piece is the same', `${mebibyte}${mebibyte}a`, `${mebibyte}${mebibyte}a`, true],
    ['only the last piece differs', `${mebibyte}${mebibyte}a`, `${mebibyte}${mebibyte}b`, false],
    ['a piece in the middle differs', `${mebibyte}a${mebibyte}`, `${mebibyte}b${mebibyte}`, false],
  ])('compares the content when %s', (_when, one, other, same) => {
    using folder = new TempFolder();
    expect(isSameFile(folder.write('one', one), folder.write('other', other))).toBe(same);
  });

  test('is false when the other is missing, a link or a folder', () => {
    using folder = new TempFolder();
    const one = folder.write('one', 'abc');
    symlinkSync('one', folder.at('link'));

    expect(isSameFile(one, folder.at('missing'))).toBe(false);
    expect(isSameFile(one, folder.at('link'))).toBe(false);
    expect(isSameFile(one, folder.path)).toBe(false);
  });

  test('leaves no descriptor open', () => {
    using folder = new TempFolder();
    const [one, other] = [folder.write('one', 'abc'), folder.write('other', 'abd')];
    for (let round = 0; round < 5; round += 1) isSameFile(one, other);
    expect(openBelow(folder.path)).toEqual([]);
  });
});

describe('makeFolder()', () => {
  test('makes the folders on the way, and is content when it is there', () => {
    using folder = new TempFolder();
    makeFolder(folder.at('a/b/c'), 0o700);
    makeFolder(folder.at('a/b/c'));
    expect(modeOf(folder.at('a/b/c'))).toBe(0o700);
  });
});

test('writeDurably() removes what killed programs have left of the same file, and nothing else', async () => {
  using folder = new TempFolder();
  const ended = Bun.spawn(['true']);
  await ended.exited;
  const others = [
    `x.json.${process.ppid}.part`,
    `y.json.${ended.pid}.part`,
    `x.json.${ended.pid}.part.old`,
    'x.json.part',
  ];
  for (const name of [`x.json.${ended.pid}.part`, ...others]) folder.write(name, 'half');
  writeDurably(folder.at('x.json'), 'whole');
  expect(readdirSync(folder.path).sort()).toEqual([...others, 'x.json'].sort());
});
