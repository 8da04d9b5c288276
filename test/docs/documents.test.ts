import { describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildSpec } from '../../shared/packaging/build-spec.ts';
import { project } from '../../shared/packaging/project.ts';
import { describedKeys, withReference } from '../../shared/packaging/reference/config-reference.ts';
import { configKeys, readConfigText } from '../../shared/system/config-schema.ts';
import { exitCodeTable } from '../../shared/system/exit-code.ts';
import { programNames } from '../../shared/update/program-names.ts';

/** What the documents say is true of the tree. */

const documents = ['README.md', 'CHANGELOG.md', ...below('docs')];
const read = (path: string): string => readFileSync(join(project.root, path), 'utf8');

describe('the documents', () => {
  test.each(documents)('%s links to nothing that is not there', (document) => {
    const links = [...read(document).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, link]) => link ?? '');
    const local = links.filter((link) => !/^https?:/.test(link));
    const broken = local.filter((link) => !existsSync(join(project.root, dirname(document), link)));
    expect(broken).toEqual([]);
  });

  test('README.md has the exit codes of the code', () => {
    expect(read('README.md')).toContain(`\`\`\`\n${exitCodeTable()}\n\`\`\``);
  });

  test('README.md names every program, and every room of the tree', () => {
    const readme = read('README.md');
    for (const name of programNames) expect(readme).toMatch(new RegExp(`^\\| \`${name}\` +\\|`, 'm'));
    const rooms = readdirSync(join(project.root, 'shared')).map((room) => `shared/${room}/`);
    for (const room of ['hooks/', ...rooms, 'bundle-skeleton/', 'test/', 'docs/']) {
      expect(readme).toMatch(new RegExp(`^${room} `, 'm'));
    }
  });

  test('README.md names npm scripts and build commands that are there', () => {
    const { scripts } = JSON.parse(read('package.json'));
    for (const [, script] of read('README.md').matchAll(/^npm (?:run )?(\S+)/gm)) {
      expect(Object.keys(scripts)).toContain(script ?? '');
    }
    const commands = buildSpec.commands.map(({ name }) => name);
    for (const [, name] of read('README.md').matchAll(/^bun build\.ts (\S+)/gm)) {
      expect(commands).toContain(name ?? '');
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
    const told = describedKeys();
    for (const part of ['storage', 'update'] as const) {
      expect([...told[part]].sort()).toEqual(Object.keys(configKeys[part]).sort());
      for (const key of told[part]) expect(text).toContain(`| \`${key}\``);
    }
  });
});

function below(folder: string): string[] {
  const entries = readdirSync(join(project.root, folder), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return below(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}
