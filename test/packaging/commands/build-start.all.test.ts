import { expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Checkout } from '../../support/build/checkout.ts';
import { runCommand } from '../../support/run-command.ts';
import { leftOvers } from './left-overs.ts';

/** What `npm start` does, from nothing. */

// Of a processor: what the clock says depends on what else the machine does.
test('build.ts start takes a fresh checkout to an updated device in under 60 s, and leaves nothing of it', async () => {
  using clone = new Checkout();
  const checkout = clone.path;
  rmSync(join(checkout, '.keys'), { recursive: true, force: true });
  const before = await leftOvers();
  let started: Bun.Subprocess | undefined;
  const { exitCode, stdout } = await runCommand([process.execPath, 'build.ts', 'start'], {
    cwd: checkout,
    whileRunning: async (process) => {
      started = process;
    },
  });
  const seconds = Number(started?.resourceUsage()?.cpuTime.total) / 1e6;
  expect(stdout).toContain('What happened:');
  expect(stdout).toContain('Committed version');
  expect(exitCode).toBe(0);
  expect(seconds).toBeLessThan(60);
  expect(await leftOvers()).toEqual(before);
}, 120_000);
