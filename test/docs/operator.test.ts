import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { update } from '../../hooks/update.ts';
import { project } from '../../shared/packaging/project.ts';
import { stories, tellStory } from './operator-stories.ts';

/** docs/operator.md shows what the programs print. */

const text = readFileSync(join(project.root, 'docs/operator.md'), 'utf8');

/** What the document shows under each command, by the line that was typed. */
const shown = [...text.matchAll(/```console\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
  block.split(/^# /m).flatMap((part) => {
    const [line = '', ...output] = part.trimEnd().split('\n');
    return line === '' ? [] : [{ line, output: output.join('\n') }];
  }),
);

/** The pieces between elisions, in their order; what is not elided has to be there whole. */
function isToldBy(output: string, told: string): boolean {
  const pattern = output
    .split('\n')
    .map((line) => (line === '…' ? '(?:.*\\n)*?' : `${RegExp.escape(line)}\\n`))
    .join('');
  return new RegExp(`^${pattern}$`).test(`${told}\n`);
}

describe('docs/operator.md', () => {
  test('shows every story, and no other', () => {
    expect(shown.map(({ line }) => line)).toEqual(stories.map(({ line }) => line));
  });

  test.each(stories.map((story, index) => [story.line, story, shown[index]] as const))(
    '"%s" prints what is shown',
    async (line, story, block) => {
      const { text: told, exitCode } = await tellStory(story);
      const output = block?.output ?? '';
      if (!isToldBy(output, told)) expect({ line, text: told }).toEqual({ line, text: output });
      expect({ line, exitCode }).toEqual({ line, exitCode: story.exitCode ?? 0 });
    },
    60_000,
  );

  test('names every command of update.sh', () => {
    for (const { name } of update.spec.commands) expect(text).toMatch(new RegExp(`\\b${name}\\b`));
  });
});
