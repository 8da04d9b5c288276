import type { Running } from '../../system/process/program.ts';
import { waitForDatabase } from './database-ready.ts';
import type { Stack } from './stack.ts';

/**
 * Stops and starts services for work by hand. The stack may be in any state. However the program ends, the services that ran
 * before run again, and no others. So find the stack without a signal: after the program is told to end, a signal would keep
 * it from putting the stack back.
 */

const stopMs = 120_000;

/**
 * Lets only the `needed` services run, and waits for the database if it is one of them. The returned function restores the
 * services that ran before.
 */
export async function keepOnly(
  needed: readonly string[],
  stack: Stack,
  running: Running,
): Promise<() => Promise<void>> {
  const { log, undo, signal } = running;
  const { compose } = stack;
  const before = new Set(await runningServices(stack));
  const back = undo.owe('change which services run', async () => {
    const now = await runningServices(stack);
    const surplus = now.filter((name) => !before.has(name));
    const missing = [...before].filter((name) => !now.includes(name));
    if (surplus.length > 0) await compose.stop(surplus, { deadlineMs: stopMs });
    if (missing.length > 0) await compose.up(missing, { noDeps: true });
  });
  const others = [...before].filter((name) => !needed.includes(name));
  if (others.length > 0)
    await log.step('Stopping', 'Stopped', namesOf(others), () =>
      compose.stop(others, { deadlineMs: stopMs, signal }),
    );
  await startMissing(needed, before, stack, running);
  if (stack.database !== undefined && needed.includes(stack.database.service))
    await waitForDatabase(stack, signal);
  return () => back.now();
}

/**
 * Starts the `needed` services beside all others, and waits for the database if it is one of them. The returned function stops
 * those that did not run before.
 */
export async function haveRunning(
  needed: readonly string[],
  stack: Stack,
  running: Running,
): Promise<() => Promise<void>> {
  const { undo, signal } = running;
  const before = new Set(await runningServices(stack));
  const missing = needed.filter((name) => !before.has(name));
  const back = undo.owe('start services', async () => {
    if (missing.length > 0) await stack.compose.stop(missing, { deadlineMs: stopMs });
  });
  await startMissing(needed, before, stack, running);
  if (stack.database !== undefined && needed.includes(stack.database.service))
    await waitForDatabase(stack, signal);
  return () => back.now();
}

export async function runningServices({ compose }: Stack): Promise<string[]> {
  const containers = await compose.containers();
  return containers.filter(({ state }) => state === 'running').map(({ service }) => service);
}

async function startMissing(
  needed: readonly string[],
  before: ReadonlySet<string>,
  { compose }: Stack,
  { log, signal }: Running,
): Promise<void> {
  const missing = needed.filter((name) => !before.has(name));
  if (missing.length === 0) return;
  await log.step('Starting', 'Started', namesOf(missing), () =>
    compose.up(missing, { noDeps: true, signal }),
  );
}

function namesOf(services: readonly string[]): string {
  return services.map((name) => `"${name}"`).join(', ');
}
