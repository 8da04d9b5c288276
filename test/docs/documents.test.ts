import { describe, expect, test } from 'bun:test';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { update } from '../../hooks/update.ts';
import { readConfigText } from '../../shared/config/config-schema.ts';
import { storageKeys } from '../../shared/config/storage-keys.ts';
import { updateKeys, updateSections } from '../../shared/config/update-keys.ts';
import { buildSpec } from '../../shared/packaging/commands/build-spec.ts';
import { project } from '../../shared/packaging/project.ts';
import { withReference } from '../../shared/packaging/reference/config-reference.ts';
import { exitCodeTable } from '../../shared/system/exit-code.ts';
import { programNames } from '../../shared/update/slot/program-names.ts';
import { states } from '../../shared/update/transaction/transaction.ts';
import { anchorsOf, blocksOf, documents, pathsNamedIn, proseOf, readDocument } from './markdown.ts';

/** What the documents say is true of the tree. */

const read = readDocument;

describe('the documents', () => {
  test.each(documents)('%s links to nothing that is not there', (document) => {
    const links = [...proseOf(read(document)).matchAll(/\]\(([^)\s]+)[^)]*\)/g)].map(
      ([, link]) => link ?? '',
    );
    const broken = links.filter((link) => {
      if (/^https?:/.test(link)) return !URL.canParse(link);
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? document : join(dirname(document), path);
      if (!existsSync(join(project.root, target))) return true;
      return anchor !== undefined && !anchorsOf(read(target)).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  test.each(documents)('%s names no path that is not there', (document) => {
    const gone = pathsNamedIn(read(document)).filter((path) =>
      path.includes('*')
        ? [...new Bun.Glob(path).scanSync(project.root)].length === 0
        : !existsSync(join(project.root, path)),
    );
    expect(gone).toEqual([]);
  });

  test.each(documents)('%s names npm scripts, commands and options that are there', (document) => {
    const { scripts } = JSON.parse(read('package.json'));
    const text = read(document);
    for (const [, script] of text.matchAll(/\bnpm run (?!-)([a-z:]+)/g)) {
      expect(Object.keys(scripts)).toContain(script ?? '');
    }
    const specs = { 'update\\.sh': update.spec, 'bun build\\.ts': buildSpec };
    for (const [called, spec] of Object.entries(specs)) {
      const known = new Map(
        spec.commands.map((command) => [command.name, Object.keys(command.options ?? {})]),
      );
      // A line of code that continues with a word; the text after a # is a comment.
      const calls = text.matchAll(new RegExp(`${called} ([a-z-]+)([^\`#\\n|;&]*)`, 'g'));
      for (const [call, name = '', rest = ''] of calls) {
        if (!known.has(name)) continue;
        for (const [, option = ''] of rest.matchAll(/ --([a-z-]+)/g)) {
          expect({ call, isKnown: known.get(name)?.includes(option) }).toEqual({ call, isKnown: true });
        }
      }
    }
  });

  test('name only commands of update.sh and build.ts that there are, where they show a line', () => {
    const names = (spec: typeof buildSpec) => spec.commands.map(({ name }) => name ?? '');
    let shown = 0;
    for (const document of documents) {
      const lines = blocksOf(read(document)).flatMap(({ text }) => text.split('\n'));
      for (const line of lines) {
        const word = /^(?:# )?(?:bun build\.ts|\S*update\.sh) ([a-z][a-z-]*)(?= |$)/.exec(line)?.[1];
        if (word === undefined) continue;
        const known = names(line.includes('build.ts') ? buildSpec : update.spec);
        expect({ document, line, isKnown: known.includes(word) }).toMatchObject({ isKnown: true });
        shown += 1;
      }
    }
    expect(shown).toBeGreaterThan(20);
  });

  test('CHANGELOG.md names every command that there is', () => {
    const code = [...read('CHANGELOG.md').matchAll(/`([^`]+)`/g)].map(([, text]) => text).join('\n');
    for (const { name } of [...update.spec.commands, ...buildSpec.commands]) {
      expect(code).toMatch(new RegExp(`(?<![\\w-])${name}(?![\\w-])`));
    }
  });

  test('docs/from-the-guide.md says of every section where it is tried', () => {
    const rows = read('docs/from-the-guide.md')
      .split('\n')
      .filter((line) => /^\| (?!section|-)/.test(line));
    expect(rows.length).toBeGreaterThan(25);
    for (const row of rows) {
      const tried = row.split('|').at(-2) ?? '';
      expect({ row, tests: pathsNamedIn(tried).length > 0 }).toMatchObject({ tests: true });
      for (const path of pathsNamedIn(tried)) expect(path).toMatch(/^test\/.+\.test\.ts$/);
    }
  });

  test('docs/overview.svg is one that can be read in the dark, and by who cannot see it', () => {
    const svg = read('docs/overview.svg');
    expect(svg).toContain('@media (prefers-color-scheme: dark)');
    expect(svg).toMatch(/<title id="title">.+<\/title>/);
    expect(svg).toMatch(/<desc id="what">.+<\/desc>/);
    for (const state of states) expect(svg).toContain(`>${state}<`);
    for (const name of programNames) if (name !== 'hook') expect(svg).toContain(`>${name}<`);
  });

  test('README.md has the exit codes of the code', () => {
    expect(read('README.md')).toContain(`\`\`\`\n${exitCodeTable()}\n\`\`\``);
  });

  test('docs/formats.md names every file of the updater that another version reads', () => {
    const text = read('docs/formats.md');
    const sources = [...new Bun.Glob('shared/**/*.ts').scanSync(project.root)].map(read);
    const names = sources.flatMap((source) => [
      ...source.matchAll(/new StateFile\(\w+, '([^']+)'/g),
      ...source.matchAll(/join\(updateFolderOf\(places\), '([^']+)'\)/g),
    ]);
    expect(names.length).toBeGreaterThan(8);
    for (const [, name = ''] of names) expect(text).toContain(name);
  });

  test('README.md names every program, and every room of the tree', () => {
    const readme = read('README.md');
    for (const name of programNames) expect(readme).toMatch(new RegExp(`^\\| \`${name}\` +\\|`, 'm'));
    const rooms = readdirSync(join(project.root, 'shared')).map((room) => `shared/${room}/`);
    for (const room of ['hooks/', ...rooms, 'bundle-skeleton/', 'test/', 'docs/']) {
      expect(readme).toMatch(new RegExp(`^${room} `, 'm'));
    }
  });

  test('docs/configuration.md shows a config that is taken', () => {
    const yaml = /```yaml\n([\s\S]*?)```/.exec(read('docs/configuration.md'))?.[1] ?? '';
    const { update } = readConfigText(yaml, 'docs/configuration.md');
    expect(Object.keys(update).length).toBeGreaterThan(5);
  });

  test('docs/configuration.md tells every key there is, as the programs take it today', () => {
    const text = read('docs/configuration.md');
    expect(text).toBe(withReference(text));
    for (const key of Object.keys({ ...storageKeys, ...updateKeys })) expect(text).toContain(`| \`${key}\``);
    const inSections = updateSections.flatMap(([, keys]) => Object.keys(keys));
    expect(inSections.sort()).toEqual(Object.keys(updateKeys).sort());
  });
});

describe('docs/fleet.md', () => {
  const text = read('docs/fleet.md');

  test('shows a config that is taken', () => {
    const yaml = /```yaml\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
    expect(readConfigText(yaml, 'docs/fleet.md').update.fleet_url).toBe('https://hawkbit.example.org');
  });

  test('names units and a version that are there', () => {
    const units = [...text.matchAll(/homie-update[\w-]*\.(?:service|timer)/g)];
    expect(units.length).toBeGreaterThan(0);
    for (const [unit] of units)
      expect(existsSync(join(project.root, 'bundle-skeleton/rootfs/usr/lib/systemd/system', unit))).toBe(
        true,
      );
    const version = /<hawkbit.version>(.*)<\/hawkbit.version>/.exec(read('test/fleet/server/pom.xml'))?.[1];
    expect(text).toContain(`hawkBit ${version} on`);
  });
});
