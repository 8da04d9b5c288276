import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { Checkout } from '../support/build/checkout.ts';
import { runCommand } from '../support/run-command.ts';
import { blocksOf, documents, readDocument } from './markdown.ts';

/** Every block marked runnable, as in "```sh run", is run as it stands, in a fresh checkout for each document. */

const runnable = documents.flatMap((path) => {
  const blocks = blocksOf(readDocument(path)).filter(({ info }) => info.includes('run'));
  return blocks.length === 0 ? [] : [{ path, blocks }];
});

describe('the blocks marked runnable', () => {
  test('are written in sh', () => {
    for (const { path, blocks } of runnable) {
      for (const { info } of blocks) expect({ path, info }).toEqual({ path, info: ['sh', 'run'] });
    }
  });

  test('are in the README, and elsewhere', () => {
    expect(runnable.map(({ path }) => path)).toContain('README.md');
    expect(runnable.length).toBeGreaterThan(1);
  });

  test.each(runnable.map(({ path, blocks }) => [path, blocks] as const))(
    '%s: all of them pass',
    async (path, blocks) => {
      using checkout = new Checkout();
      for (const { text } of blocks) {
        const shell = ['bash', '--noprofile', '--norc', '-euo', 'pipefail', '-c', text];
        const PATH = `${join(checkout.path, 'node_modules/.bin')}:${process.env['PATH']}`;
        const ended = await runCommand(shell, { cwd: checkout.path, env: { ...process.env, PATH } });
        expect({ path, text, ...ended }).toMatchObject({ exitCode: 0 });
      }
    },
    120_000,
  );
});
