import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { defaultConfig } from '../../shared/config/config.ts';
import { type Compose, findCompose } from '../../shared/stack/compose.ts';
import { takeBaseline } from '../../shared/stack/health/baseline.ts';
import type { HealthCheck } from '../../shared/stack/health/check.ts';
import { findChecks } from '../../shared/stack/health/find-checks.ts';
import { runChecks } from '../../shared/stack/health/run-checks.ts';
import { failuresIn } from '../../shared/stack/health/verdict.ts';
import { waitUntilHealthy } from '../../shared/stack/health/wait.ts';
import { CommandFailure } from '../../shared/system/process/command.ts';
import { startEngine } from '../rig/stack/engine.ts';
import { stackImages } from '../rig/stack/images.ts';
import { startRegistry } from '../rig/stack/registry.ts';
import { Stack } from '../rig/stack/stack.ts';
import { waitFor } from '../rig/stack/wait-for.ts';
import { failureOf } from '../support/failure-of.ts';
import { TempFolder } from '../support/temp-folder.ts';
import { inEnvironment } from './in-environment.ts';
import { keptLog } from './kept-log.ts';

/** With a real Docker engine and docker-compose 1.29: the Homie stack, up and migrated. */

setDefaultTimeout(120_000);
const { signal } = new AbortController();
const cleanup = new AsyncDisposableStack();
let folder: TempFolder;
let stack: Stack;
let compose: Compose;

beforeAll(async () => {
  folder = cleanup.use(new TempFolder());
  const images = await stackImages();
  const registry = cleanup.use(await startRegistry({ folder: folder.at('registry'), images }));
  const engine = cleanup.use(await startEngine({ folder: folder.at('engine') }));
  cleanup.use(inEnvironment(engine.environment));
  stack = new Stack({
    engine,
    folder: folder.at('root/opt/homie_orchestrator'),
    registry: registry.name,
    release: '1.0.0',
    dataFolder: folder.at('data'),
  });
  await stack.upAndMigrated('1.0.0');
  compose = await findCompose(join(stack.folder, 'docker-compose.yml'));
}, 600_000);
afterAll(() => cleanup.disposeAsync());

describe('Compose with a real stack', () => {
  test('finds the containers that docker-compose up in the folder has made', async () => {
    expect(compose.project).toBe('homie_orchestrator');
    const found = await compose.containers();
    expect(
      found.map(({ service, state, health, restartCount }) => [service, state, health, restartCount]),
    ).toEqual([
      ['homie_core', 'running', 'healthy', 0],
      ['orchestrator', 'running', 'none', 0],
      ['postgres', 'running', 'healthy', 0],
      ['redis', 'running', 'healthy', 0],
    ]);
    for (const { service, image } of found)
      expect(compose.services().find(({ name }) => name === service)?.image).toBe(image);
  });

  test('uses its name when the folder is called like no project may be', async () => {
    const copy = folder.at('_Homie Stack-1.0');
    cpSync(stack.folder, copy, { recursive: true });
    const other = await findCompose(join(copy, 'docker-compose.yml'));
    await stack.compose(['up', '--no-start', '--no-deps', 'redis'], { cwd: copy });
    try {
      expect((await other.containers()).map(({ service, state }) => [service, state])).toEqual([
        ['redis', 'created'],
      ]);
    } finally {
      await stack.compose(['down'], { cwd: copy });
      rmSync(copy, { recursive: true });
    }
  });

  test('stops a service and starts it again, alone', async () => {
    await compose.stop(['redis']);
    const stateOf = async (name: string) =>
      (await compose.containers()).find(({ service }) => service === name)?.state;
    expect([await stateOf('redis'), await stateOf('postgres')]).toEqual(['exited', 'running']);
    await compose.up(['redis'], { noDeps: true });
    expect(await stateOf('redis')).toBe('running');
  });

  test('runs a command in a new container, handing on each line, and leaves none', async () => {
    const lines: string[] = [];
    const argv = ['sh', '-c', 'echo "$1"; echo second', 'sh', "it's $HOME"];
    const { stdout } = await compose.run('orchestrator', argv, { onLine: (line) => void lines.push(line) });
    expect(stdout).toBe("it's $HOME\nsecond\n");
    expect(lines).toContain('second');
    expect(await containersCalled('homie-update-orchestrator')).toBe('');
  });

  test('throws exit code and last line when the command fails', async () => {
    const failure = await failureOf(() =>
      compose.run('orchestrator', ['sh', '-c', 'echo first >&2; echo why >&2; exit 7']),
    );
    expect(failure).toBeInstanceOf(CommandFailure);
    expect(failure.message).toBe(
      'Cannot run "sh" in a new container of "orchestrator": it ended with 7 (why)',
    );
    expect(failure).toMatchObject({ exitCode: 7 });
  });

  test('leaves no container when the command is too slow', async () => {
    const name = 'homie-slow';
    const failure = await failureOf(() =>
      compose.run('orchestrator', ['sleep', '60'], { name, deadlineMs: 5_000 }),
    );
    expect(failure.message).toEndWith('did not end within 5 s');
    expect(await containersCalled(name)).toBe('');
  });

  test('reads and writes files of the host through a running container, bytes as they are', async () => {
    const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => index % 256);
    const stdinFrom = folder.write('in', bytes);
    await compose.exec('redis', ['cat'], { stdinFrom, stdoutTo: folder.at('out') });
    expect(
      Buffer.compare(Buffer.from(await Bun.file(folder.at('out')).arrayBuffer()), Buffer.from(bytes)),
    ).toBe(0);
    const failure = await failureOf(() => compose.exec('redis', ['sh', '-c', 'echo no >&2; exit 3']));
    expect(failure.message).toBe('Cannot run "sh" in service "redis": it ended with 3 (no)');
    const absent = await failureOf(() => compose.exec('nobody', ['true']));
    expect(absent.message).toBe('Cannot run "true" in service "nobody": it does not run');
  });

  test('finds the container of a service again after it was stopped, or created again', async () => {
    const place = async () => (await compose.exec('redis', ['hostname'])).stdout;
    const first = await place();
    await compose.stop(['redis']);
    const stopped = await failureOf(place);
    expect(stopped.message).toBe('Cannot run "hostname" in service "redis": it does not run');
    await compose.up(['redis'], { noDeps: true });
    expect(await place()).toBe(first);
    await stack.compose(['up', '--detach', '--no-deps', '--force-recreate', 'redis']);
    expect(await place()).not.toBe(first);
  });

  test('reads the last lines of a log', async () => {
    expect(await compose.logTail('orchestrator')).toBe('orchestrating\n');
    expect(Buffer.byteLength(await compose.logTail('postgres', 200))).toBeWithin(1, 201);
    expect(await compose.logTail('nobody')).toBe('');
  });
});

async function containersCalled(name: string): Promise<string> {
  return (await stack.engine.docker(['ps', '--all', '--quiet', `--filter=name=${name}`])).stdout;
}

function find(schemaHeads?: readonly string[]): Promise<HealthCheck[]> {
  const places = { data: folder.at('data'), root: folder.at('root'), run: folder.at('run') };
  const config = { ...defaultConfig(places).update, healthUrl: stack.healthUrl, disabledChecks: ['unit'] };
  const more = schemaHeads === undefined ? {} : { schemaHeads };
  return findChecks({ root: places.root, config, log: keptLog(), signal, ...more });
}

async function failures(heads?: readonly string[]): Promise<string[]> {
  return failuresIn(await runChecks(await find(heads), signal));
}

async function wait(checks: readonly HealthCheck[], deadlineMs: number, settleMs: number) {
  return await waitUntilHealthy({ checks, deadlineMs, settleMs, log: keptLog(), signal });
}

/** As an operator would: the file says how core behaves, and it starts anew. */
async function behave(behaviour: string): Promise<void> {
  stack.describe({ behaviour });
  await stack.compose(['up', '-d']);
}

describe('the health of a real stack', () => {
  test('is well when all is, and each check has asked', async () => {
    await stack.healthy();
    const report = await runChecks(await find(['0002']), signal);
    expect(Object.keys(report)).toEqual(['http', 'compose', 'database', 'redis']);
    expect(failuresIn(report)).toEqual([]);
    expect(await takeBaseline(await find(), signal)).toEqual({});
  });

  test('is not when the schema is another, a service is gone or stopped', async () => {
    expect(await failures(['0003'])).toEqual(['database: the schema is at "0002", not at "0003"']);
    await compose.stop(['redis', 'orchestrator']);
    await stack.engine.docker(['rm', 'homie_orchestrator_orchestrator_1']);
    expect(await failures()).toEqual([
      'compose: "orchestrator" has no container, "redis" has ended with 0',
      'redis: Cannot run "redis-cli" in service "redis": it does not run',
    ]);
    const baseline = await takeBaseline(await find(), signal);
    expect(Object.keys(baseline['compose']?.faults ?? {})).toEqual(['orchestrator', 'redis']);
    await compose.up([]);
  });

  test('is not while containers of another version run', async () => {
    stack.describe({ release: '2.0.0' });
    const [line = ''] = await failures();
    expect(line).toMatch(/^compose: "homie_core" still runs "\S+:1\.0\.0", "orchestrator" still runs/);
    stack.describe({ release: '1.0.0' });
  });

  test('is not when the database does not accept connections', async () => {
    const postgres = 'homie_orchestrator_postgres_1';
    await stack.engine.docker(['kill', '--signal=STOP', postgres]);
    try {
      const [line = ''] = (await failures()).filter((one) => one.startsWith('database'));
      expect(line).toBe('database: it does not accept connections');
    } finally {
      await stack.engine.docker(['kill', '--signal=CONT', postgres]);
    }
  });

  test('is believed when it comes late but in time', async () => {
    await behave('healthy-after 4');
    expect(await wait(await find(), 60_000, 1_000)).toMatchObject({ isHealthy: true });
  });

  test('is not when core never becomes healthy, and its words are the reason', async () => {
    await behave('never-healthy');
    const verdict = await wait(await find(), 4_000, 1_000);
    expect(verdict).toMatchObject({ isHealthy: false });
    expect(verdict.isHealthy ? '' : verdict.reason).toContain(
      'http: it answers 503 ({"status": "told to be unhealthy"})',
    );
  });

  test('is not when core answers well but crashes again and again', async () => {
    await behave('crash-after 2');
    const verdict = await wait(await find(), 8_000, 6_000);
    expect(verdict.isHealthy).toBe(false);
    const core = await waitFor('core to have crashed', async () =>
      (await compose.containers()).find(
        ({ service, restartCount }) => service === 'homie_core' && restartCount > 0,
      ),
    );
    expect(core.restartPolicy).toBe('unless-stopped');
    await behave('');
    expect(await wait(await find(), 60_000, 1_000)).toMatchObject({ isHealthy: true });
  });
});
