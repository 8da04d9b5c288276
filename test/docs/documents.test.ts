import { describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { project } from '../../shared/packaging/project.ts';
import { readConfigText } from '../../shared/system/config-schema.ts';
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
    const build = read('build.ts');
    for (const [, name] of read('README.md').matchAll(/^bun build\.ts (\S+)/gm)) {
      expect(build).toContain(`name: '${name}'`);
    }
  });

  test('docs/configuration.md shows a config that is taken, with every key there is', () => {
    const yaml = /```yaml\n([\s\S]*?)```/.exec(read('docs/configuration.md'))?.[1] ?? '';
    const { update, storage } = readConfigText(yaml, 'docs/configuration.md');
    const unknown = failureOf(() => readConfigText('update:\n  x: 1\n', 'x'));
    const known = /known are:? (.*)\)/.exec(unknown)?.[1]?.split(', ') ?? [];
    expect(Object.keys(update).sort()).toEqual(known.sort());
    expect(Object.keys(storage).sort()).toEqual(['backup_path', 'config_path', 'data_path']);
  });
});

describe('docs/fleet.md', () => {
  const text = read('docs/fleet.md');

  test('shows a config that is taken', () => {
    const yaml = /```yaml\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
    expect(readConfigText(yaml, 'docs/fleet.md').update.fleet_url).toBe('https://hawkbit.example.org');
  });

  test('names commands, options, units and a version that are there', () => {
    const { scripts } = JSON.parse(read('package.json'));
    for (const [, script] of text.matchAll(/npm run (\S+?)[\s`]/g))
      expect(Object.keys(scripts)).toContain(script ?? '');
    for (const [, option] of text.matchAll(/ --([a-z][a-z-]*) /g))
      if (option !== 'now') expect(read('build.ts')).toMatch(new RegExp(`'?${option}'?: \\{ type`));
    const commands = `${read('hooks/update.ts')}${read('hooks/fleet-commands.ts')}`;
    for (const [, name] of text.matchAll(/`update\.sh (\w+)/g)) expect(commands).toContain(`name: '${name}'`);
    for (const [unit] of text.matchAll(/homie-update[\w-]*\.(?:service|timer)/g))
      expect(existsSync(join(project.root, 'bundle-skeleton/rootfs/usr/lib/systemd/system', unit))).toBe(
        true,
      );
    const version = /<hawkbit.version>(.*)<\/hawkbit.version>/.exec(read('test/fleet/server/pom.xml'))?.[1];
    expect(text).toContain(`hawkBit ${version} on`);
  });
});

function failureOf(work: () => unknown): string {
  try {
    work();
    return '';
  } catch (error) {
    return String(error);
  }
}

function below(folder: string): string[] {
  const entries = readdirSync(join(project.root, folder), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return below(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}
