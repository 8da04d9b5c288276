import { describe, expect, test } from 'bun:test';
import { type CommandOptions, command } from '../../../shared/system/process/command.ts';
import { failureOf } from '../../support/failure-of.ts';
import { isSoonGone } from '../../support/processes.ts';
import { TempFolder } from '../../support/temp-folder.ts';

const sh = (script: string, options: Partial<CommandOptions>) =>
  command({ deadlineMs: 20_000, ...options })`/bin/sh -c ${script}`;

/** Gives pieces of 100 kB until it is let go, which it tells. */
class Endless {
  readonly #left = Promise.withResolvers<void>();
  readonly wasLeft = this.#left.promise;
  given = 0;

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    try {
      for (; ; this.given += 1) yield Buffer.alloc(100_000, 'x');
    } finally {
      this.#left.resolve();
    }
  }
}

async function* giving(pieces: Iterable<Buffer>, error?: Error): AsyncGenerator<Buffer> {
  yield* pieces;
  if (error !== undefined) throw error;
}

describe('command() with a stdin', () => {
  test('hands it on whole, and ends it', async () => {
    const pieces = Array.from({ length: 40 }, (_, count) => Buffer.alloc(100_000 + count, `${count} ä€😀\n`));
    const { stdout } = await sh('sha256sum; echo end', { stdin: giving(pieces) });
    const sha256 = new Bun.CryptoHasher('sha256').update(Buffer.concat(pieces)).digest('hex');
    expect(stdout).toBe(`${sha256}  -\nend\n`);
  });

  test('takes one that is empty for an empty one', async () => {
    expect((await sh('cat; echo end', { stdin: giving([]) })).stdout).toBe('end\n');
  });

  test('reads no more of it than the child does, and a little', async () => {
    const source = new Endless();
    await sh('head -c 1000000 >/dev/null; sleep 0.1', { stdin: source });
    expect(source.given).toBeGreaterThanOrEqual(10);
    expect(source.given).toBeLessThan(20);
  });

  test.each([
    ['ends early', 'head -c 3'],
    ['reads nothing', 'printf xxx'],
    ['closes its stdin and ends later', 'head -c 3; exec <&-; sleep 0.1'],
  ])('takes its exit code for the answer, and leaves the rest, when the child %s', async (_when, script) => {
    const source = new Endless();
    expect(await sh(script, { stdin: source })).toEqual({ exitCode: 0, stdout: 'xxx', stderr: '' });
    await source.wasLeft;
  });

  test('fails as the child does when that fails before it has read all', async () => {
    const source = new Endless();
    const failure = await failureOf(() =>
      sh('head -c 9 >/dev/null; echo broken >&2; exit 3', { stdin: source }),
    );
    expect(failure.message).toBe('"/bin/sh" ended with 3 (broken)');
    await source.wasLeft;
  });

  test('does not wait for a source that gives nothing when the child has ended', async () => {
    const silent = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) };
    expect((await sh('echo end', { stdin: silent })).stdout).toBe('end\n');
  });

  test('ends the child, which does not take it for whole, and throws its error when it fails', async () => {
    using folder = new TempFolder();
    const broken = new Error('broken');
    const stdin = giving([Buffer.alloc(300_000)], broken);
    const script = `echo $$ >child; cat >/dev/null; echo >whole`;
    const error: unknown = await sh(script, { stdin, cwd: folder.path }).catch((thrown: unknown) => thrown);
    expect(error).toBe(broken);
    expect(folder.has('whole')).toBe(false);
    expect(await isSoonGone(Number(folder.read('child')))).toBe(true);
  });

  test('keeps the deadline when the child does not read, and lets the source go', async () => {
    const source = new Endless();
    const failure = await failureOf(() => sh('sleep 61', { stdin: source, deadlineMs: 300 }));
    expect(failure.message).toBe('"/bin/sh" did not end within 0.3 s');
    await source.wasLeft;
  });

  test('ends the child when the signal is aborted, and lets the source go', async () => {
    const source = new Endless();
    const ending = new AbortController();
    const failure = await failureOf(() =>
      sh('echo ready; cat >/dev/null', {
        stdin: source,
        signal: ending.signal,
        onLine: () => ending.abort(),
      }),
    );
    expect(failure.message).toBe('"/bin/sh" was ended, because this program was stopped');
    await source.wasLeft;
  });
});
