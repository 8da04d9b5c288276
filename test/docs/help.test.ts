import { describe, expect, test } from 'bun:test';
import { installCheck } from '../../hooks/install-check.ts';
import { postActivate } from '../../hooks/post-activate.ts';
import { postInstall } from '../../hooks/post-install.ts';
import { preInstall } from '../../hooks/pre-install.ts';
import { systemCheck } from '../../hooks/system-check.ts';
import { update } from '../../hooks/update.ts';
import { buildSpec } from '../../shared/packaging/commands/build-spec.ts';
import { exitCodeTable } from '../../shared/system/exit-code.ts';
import { parseArguments } from '../../shared/system/terminal/arguments.ts';
import { programNames } from '../../shared/update/slot/program-names.ts';

/** Every program, and every command of one, can be learnt from its --help alone. */

const hooks = [systemCheck, installCheck, preInstall, postInstall, postActivate, update];
const specs = [...hooks.map(({ spec }) => spec), buildSpec];
const commands = specs.flatMap((spec) =>
  spec.commands.flatMap((command) => (command.name === undefined ? [] : [{ spec, command }])),
);

async function helpOf(spec: (typeof specs)[number], words: string[]): Promise<string> {
  const parsed = await parseArguments(spec, [...words, '--help']);
  if (parsed.kind !== 'help') throw new Error(`no help of ${spec.name} ${words.join(' ')}`);
  return parsed.text;
}

/** The lines under a heading, up to the next blank one. */
function section(help: string, heading: string): string[] {
  const lines = help.split('\n');
  const at = lines.indexOf(`${heading}:`);
  if (at < 0) return [];
  const rest = lines.slice(at + 1);
  return rest.slice(0, rest.includes('') ? rest.indexOf('') : rest.length);
}

describe('--help', () => {
  test('is here of every program but the door, which is no more than its names', () => {
    const named = hooks.map(({ spec }) => spec.name);
    expect([...named, 'hook'].sort()).toEqual([...programNames].sort());
  });

  test.each(specs.map((spec) => [spec.name, spec] as const))(
    '%s says how it is called, with examples and exit codes',
    async (name, spec) => {
      const help = await helpOf(spec, []);
      expect(help).toStartWith(`${name}: ${spec.summary}\n`);
      expect(help).toMatch(new RegExp(`^Usage: ${name.replace('.', '\\.')} `, 'm'));
      const examples = section(help, 'Examples');
      expect(examples.length).toBeGreaterThan(0);
      expect(examples.join('\n')).toContain(name);
      expect(help).toEndWith(`Exit codes:\n${exitCodeTable()}`);
    },
  );

  test.each(hooks.map(({ spec }) => [spec.name, spec] as const))(
    '%s names its files',
    async (_name, spec) => {
      expect(section(await helpOf(spec, []), 'Files').join('\n')).toContain('/data/config/orchestrator.yaml');
    },
  );

  test.each(commands.map(({ spec, command }) => [`${spec.name} ${command.name}`, spec, command] as const))(
    '%s has an example of its own, with options that it takes',
    async (called, spec, command) => {
      const help = await helpOf(spec, [command.name ?? '']);
      expect(help).toContain(called);
      expect(help).toEndWith(`Exit codes:\n${exitCodeTable()}`);
      const examples = section(help, 'Examples');
      for (const [line] of command.examples ?? []) {
        expect(examples).toContain(`  ${line.replace('$0', spec.name)}`);
        expect(line).toMatch(new RegExp(`\\$0 ${command.name}\\b`));
        for (const [, option = ''] of line.matchAll(/ --([a-z-]+)/g)) {
          expect({ line, option, isKnown: command.options?.[option] !== undefined }).toMatchObject({
            isKnown: true,
          });
        }
      }
      expect(command.examples?.length ?? 0).toBeGreaterThan(0);
    },
  );
});
