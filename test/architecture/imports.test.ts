import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  barrels,
  computedImports,
  consoleUses,
  cycles,
  fullFolders,
  importTimeEffects,
  longFiles,
  wrongDirections,
  wrongDoors,
  wrongSubRooms,
} from './rules.ts';
import { readSource, type Source } from './source.ts';

const project = join(import.meta.dir, '../..');
const mostLines = 250;
const mostFiles = 24;

function readText(path: string): string {
  return readFileSync(join(project, path), 'utf8');
}

const paths = [...new Bun.Glob('{hooks,shared}/**/*.ts').scanSync(project), 'build.ts'].filter(
  (path) => !path.endsWith('.d.ts'),
);
const sources = paths.map((path) => readSource(path, readText(path)));

describe('the imports of the project', () => {
  test('are all read, as bun itself reads them', () => {
    const transpiler = new Bun.Transpiler({ loader: 'ts' });
    for (const { path, imports } of sources) {
      const names = imports.map(({ name }) => name);
      for (const { path: name } of transpiler.scanImports(readText(path)))
        expect(names, `${path} imports ${name}`).toContain(name);
    }
    expect(sources.length).toBeGreaterThan(100);
    expect(sources.flatMap(({ imports }) => imports).length).toBeGreaterThan(400);
  });

  test.each([
    ['follow the direction of the rooms, and stay in the project', wrongDirections],
    ['follow the direction of the rooms inside a room', wrongSubRooms],
    ['go through the one door that a package has', wrongDoors],
    ['name what they import', computedImports],
    ['make no circle', cycles],
    ['find no barrel', barrels],
    ['do nothing at import time', importTimeEffects],
  ])('%s', (_what, check) => {
    expect(check(sources)).toEqual([]);
  });
});

describe('the files of the project', () => {
  test('print through print.ts and the log, never through console', () => {
    expect(consoleUses(sources)).toEqual([]);
  });

  test(`lie at most ${mostFiles} in a folder, those of tests too`, () => {
    expect(fullFolders([...new Bun.Glob('{hooks,shared,test}/**').scanSync(project)], mostFiles)).toEqual([]);
  });

  test(`have at most ${mostLines} lines`, () => {
    expect(longFiles(sources, mostLines)).toEqual([]);
  });
});

test('fullFolders() counts what lies in a folder itself', () => {
  expect(fullFolders(['a/one', 'a/two', 'a/three', 'a/b/one', 'a/b/two'], 2)).toEqual(['a holds 3 files']);
});

/** Made-up files: path → text. */
function made(files: Record<string, string>): Source[] {
  return Object.entries(files).map(([path, text]) => readSource(path, text));
}

describe('wrongDirections()', () => {
  test.each([
    ['shared/system/terminal/log.ts', '../../update/transaction/record.ts'],
    ['shared/rauc/mark.ts', '../data/archive/archive.ts'],
    ['shared/update/boot/carry-out-boot.ts', '../../../hooks/main.ts'],
    ['shared/update/boot/carry-out-boot.ts', '../../packaging/keys.ts'],
    ['shared/packaging/pki/keys.ts', '../../update/transaction/record.ts'],
    ['shared/packaging/pki/keys.ts', '../../stack/unit.ts'],
    ['hooks/update.ts', '../shared/packaging/keys.ts'],
    ['hooks/update.ts', '../build.ts'],
    ['build.ts', './shared/update/transaction/record.ts'],
    ['build.ts', './hooks/main.ts'],
    ['hooks/update.ts', '../test/support/temp-folder.ts'],
    ['hooks/update.ts', '../../elsewhere/x.ts'],
    ['hooks/update.ts', '../../elsewhere/x.sh'],
    ['hooks/update.ts', '/etc/x.ts'],
    ['hooks/update.ts', '../package.json'],
    ['shared/new-room/x.ts', '../system/log.ts'],
  ])('finds it when %s imports %s, in whichever way', (path, name) => {
    for (const text of [
      `import { x } from '${name}';\nexport const y = () => x;`,
      `import type { X } from '${name}';\nexport const y = (x: X) => x;`,
      `import {\n  type X,\n} from '${name}';\nexport const y = (x: X) => x;`,
      `import '${name}';`,
      `import x from '${name}' with { type: 'text' };\nexport const y = x;`,
      `export * from '${name}';`,
      `export const y = async () => await import('${name}');`,
      `export type Y = typeof import('${name}');`,
    ])
      expect(wrongDirections(made({ [path]: text })), text).toHaveLength(1);
  });

  test.each([
    ['hooks/update.ts', './hook.ts'],
    ['hooks/update.ts', '../shared/transfer/http.ts'],
    ['shared/update/commands/install.ts', '../../rauc/mark.ts'],
    ['shared/data/archive/archive.ts', '../../system/terminal/log.ts'],
    ['shared/packaging/lint/lint.ts', '../../rauc/key-file.ts'],
    ['shared/packaging/bundle/compile.ts', '../../update/slot/program-names.ts'],
    ['shared/system/version.ts', '../../package.json'],
    ['shared/update/slot/slot-content.ts', '../../../bundle-skeleton/rootfs/etc/unit.service'],
    ['build.ts', './shared/packaging/keys.ts'],
    ['shared/system/terminal/log.ts', 'node:fs'],
    ['shared/system/terminal/log.ts', 'valibot'],
  ])('is silent when %s imports %s', (path, name) => {
    expect(
      wrongDirections(made({ [path]: `import { x } from '${name}';\nexport const y = () => x;` })),
    ).toEqual([]);
  });
});

describe('wrongSubRooms()', () => {
  test.each([
    ['shared/update/transaction/transaction-store.ts', '../boot/carry-out-boot.ts', 1],
    ['shared/update/data/restore-owed-data.ts', '../boot/boot-context.ts', 1],
    ['shared/update/new-room/x.ts', '../transaction/journal.ts', 1],
    ['shared/update/transaction/transaction-store.ts', '../x.ts', 1],
    ['shared/update/boot/carry-out-boot.ts', '../transaction/transaction-store.ts', 0],
    ['shared/update/boot/carry-out-boot.ts', './trial.ts', 0],
    ['shared/update/boot/carry-out-boot.ts', '../../system/log.ts', 0],
    ['shared/rauc/mark.ts', './status.ts', 0],
  ])('%s imports %s: %p', (path, name, count) => {
    const text = `import { x } from '${name}';\nexport const y = () => x;`;
    expect(wrongSubRooms(made({ [path]: text }))).toHaveLength(count);
  });
});

describe('wrongDoors()', () => {
  test.each([
    ['zx', 'shared/system/process/command.ts'],
    ['zx/core', 'shared/system/process/command.ts'],
    ['ky', 'shared/transfer/request/http.ts'],
    ['archiver', 'shared/data/archive/archive.ts'],
    ['yargs', 'shared/system/terminal/arguments.ts'],
    ['yargs/helpers', 'shared/system/terminal/arguments.ts'],
  ])('finds %s everywhere but in %s', (name, door) => {
    const text = `import { x } from '${name}';\nexport const y = async () => (await import('${name}')) ?? x;`;
    expect(wrongDoors(made({ 'shared/update/boot/carry-out-boot.ts': text }))).toHaveLength(2);
    expect(wrongDoors(made({ [door]: text }))).toEqual([]);
  });

  test('is silent at a package whose name only begins like one of them', () => {
    const text =
      "import { x } from 'zx-other';\nimport { y } from '@zx/core';\nexport const z = () => x ?? y;";
    expect(wrongDoors(made({ 'shared/update/boot/carry-out-boot.ts': text }))).toEqual([]);
  });
});

describe('cycles()', () => {
  const file = (...names: string[]): string =>
    names.map((name) => `export { ${name} } from './${name}.ts';`).join('\n');

  test('finds each circle with its way, types and dynamic imports too', () => {
    expect(cycles(made({ 'a.ts': file('b'), 'b.ts': file('c'), 'c.ts': file('b') }))).toEqual([
      'b.ts → c.ts → b.ts',
    ]);
    expect(cycles(made({ 'a.ts': file('a') }))).toEqual(['a.ts → a.ts']);
    expect(
      cycles(
        made({
          'a.ts': "import type { X } from './b.ts';",
          'b.ts': "export const y = () => import('./a.ts');",
        }),
      ),
    ).toEqual(['a.ts → b.ts → a.ts']);
  });

  test('is silent when two ways lead to the same file', () => {
    expect(
      cycles(made({ 'a.ts': file('b', 'c'), 'b.ts': file('d'), 'c.ts': file('d'), 'd.ts': '' })),
    ).toEqual([]);
  });
});

describe('barrels()', () => {
  test.each([
    ["export * from './a.ts';", 1],
    ["/** All of it. */\nexport { a } from './a.ts';\nexport type { B } from './b.ts';\n", 1],
    ["export { a } from './a.ts';\nexport const b = 1;\n", 0],
    ["import { a } from './a.ts';\nexport const b = a;\n", 0],
    ["import './a.ts';\n", 0],
  ])('counts %j as %d', (text, count) => {
    expect(barrels(made({ 'a.ts': text }))).toHaveLength(count);
  });
});

describe('importTimeEffects()', () => {
  test.each([
    'start();',
    'await start();',
    'export const x = await start();',
    'const x = await start();\nexport { x };',
    'if (process.argv.length > 2) start();',
    'for (const x of [1]) start(x);',
    "process.on('exit', () => {});",
    'let x = 0;\nx = 1;\nexport { x };',
    'void start();',
    "new Thing('x');",
    'try { start() } catch {}',
    "import('./a.ts');",
    'export const text = `\nconst`;\nstart();',
    'export const pattern = /[`"]/;\nstart();\nexport const other = /`/;',
  ])('finds %j', (text) => {
    expect(importTimeEffects(made({ 'shared/system/a.ts': text }))).toHaveLength(1);
    expect(importTimeEffects(made({ 'hooks/main.ts': text }))).toEqual([]);
  });

  test.each([
    'export const x = v.object({\n  a: v.string(),\n});',
    "export async function go() {\n  await start();\n  console.error('x');\n}",
    `export const script = \`\nstart();\n\${[1].map((n) => \`\nawait \${n}\`).join("\`")}\nstart();\n\`;`,
    'export class A extends Error {\n  readonly b = start();\n}',
    'declare const flag: boolean;\nexport type A = typeof flag;\nexport interface B { c: A }',
    'export const go = () => {\n  start();\n};',
    'export const pattern = /`start()/;\nexport const other = "`";',
  ])('is silent at %j', (text) => {
    expect(importTimeEffects(made({ 'shared/system/a.ts': text }))).toEqual([]);
  });
});

describe('the small rules', () => {
  test('find a computed import', () => {
    expect(
      computedImports(made({ 'a.ts': 'export const go = (name: string) => import(name);' })),
    ).toHaveLength(1);
  });

  test('find console, but not in a text or a comment', () => {
    expect(consoleUses(made({ 'a.ts': "export const go = () => console.log('x');" }))).toHaveLength(1);
    expect(consoleUses(made({ 'a.ts': "// console.log\nexport const text = 'console.log()';" }))).toEqual([]);
  });

  test('count lines', () => {
    expect(longFiles(made({ 'a.ts': '// a line\n'.repeat(251) }), 250)).toEqual(['a.ts has 251 lines']);
    expect(longFiles(made({ 'a.ts': '// a line\n'.repeat(250) }), 250)).toEqual([]);
  });
});
