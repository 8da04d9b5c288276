import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { waitForClock } from '../../../shared/system/process/clock.ts';
import { createLog } from '../../../shared/system/terminal/log.ts';
import { fakeTool } from '../../support/scene/fake-tool.ts';
import { TempFolder } from '../../support/temp-folder.ts';

let folder: TempFolder;
let said: string[];
const path = process.env['PATH'];
beforeEach(() => {
  folder = new TempFolder();
  said = [];
});
afterEach(() => {
  process.env['PATH'] = path;
  folder[Symbol.dispose]();
});

const log = {
  ...createLog('test'),
  info: (line: string) => said.push(line),
  warn: (line: string) => said.push(line),
};

function wait(
  answer: string,
  {
    signal = new AbortController().signal,
    longestMs = 300,
  }: { signal?: AbortSignal; longestMs?: number } = {},
): Promise<void> {
  process.env['PATH'] = fakeTool(folder, 'timedatectl', answer);
  return waitForClock({ log, signal }, { longestMs, pauseMs: 10 });
}

describe('waitForClock()', () => {
  test.each([
    ['the clock is synchronised', 'echo "System clock synchronized: yes"'],
    ['an older systemd says so', 'echo "        NTP synchronized: yes"'],
    ['the state is unknown', 'exit 1'],
    ['the answer is another', 'echo "System clock synchronized: perhaps"'],
  ])('continues without a message when %s', async (_when, answer) => {
    await wait(answer);
    expect(said).toEqual([]);
  });

  test.each(['System clock synchronized: no', '       NTP synchronized: no'])(
    'waits for the whole time when timedatectl says "%s", and says that it continues',
    async (line) => {
      const startedMs = performance.now();
      await wait(`echo "${line}"`, { longestMs: 3000 });
      expect(performance.now() - startedMs).toBeGreaterThanOrEqual(3000);
      expect(said[0]).toBe('Waiting for the clock to be synchronised');
      expect(said[1]).toMatch(/^The clock is not synchronised: continuing with 20\d\d-/);
      expect(said).toHaveLength(2);
    },
  );

  test('continues as soon as it is', async () => {
    await wait(
      `echo x >> ${folder.at('asked')}; [ "$(wc -l < ${folder.at('asked')})" -gt 3 ] && w=yes || w=no; echo "System clock synchronized: $w"`,
      { longestMs: 60_000 },
    );
    expect(said).toEqual(['Waiting for the clock to be synchronised']);
  });

  test('ends when it is told to', async () => {
    const ending = new AbortController();
    const waiting = wait('echo "System clock synchronized: no"', { signal: ending.signal });
    ending.abort(new Error('told to end'));
    expect(await waiting.catch(String)).toBe('Error: told to end');
  });
});
