import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { defaultConfig, type UpdateConfig } from '../../../shared/config/config.ts';
import { databaseCheck } from '../../../shared/stack/health/database.ts';
import { findExecutableChecks } from '../../../shared/stack/health/executables.ts';
import { findChecks } from '../../../shared/stack/health/find-checks.ts';
import { judgeAnswer } from '../../../shared/stack/health/http.ts';
import { redisCheck } from '../../../shared/stack/health/redis.ts';
import type { FindStack } from '../../../shared/stack/health/stack.ts';
import { unitCheck } from '../../../shared/stack/health/unit.ts';
import type { Log } from '../../../shared/system/terminal/log.ts';
import { isAlive } from '../../support/processes.ts';
import { Scene } from '../../support/scene/scene.ts';

const { signal } = new AbortController();
let scene: Scene;
let told: string[];
beforeEach(() => {
  scene = new Scene();
  told = [];
});
afterEach(() => scene[Symbol.dispose]());

const say = (line: string): void => void told.push(line);
const log: Log = {
  info: say,
  warn: say,
  error: say,
  alsoTo: say,
  lastLine: '',
  step: (_doing, _done, _thing, work) => work(),
};

describe('judgeAnswer()', () => {
  test.each([
    [200, '{"status": "healthy"}', undefined],
    [200, '{"status": "ok", "more": [1]}', undefined],
    [200, 'unhealthy', undefined],
    [200, '["unhealthy"]', undefined],
    [200, '{"state": "error"}', undefined],
    [200, '', undefined],
    [200, 'null', undefined],
    [200, '{"status": "unhealthy"}', 'it says that it is "unhealthy"'],
    [200, '{"status": "error"}', 'it says that it is "error"'],
    [204, '{"status": "STARTING"}', 'it says that it is "STARTING"'],
    [503, '{"status": "healthy"}', 'it answers 503 ({"status": "healthy"})'],
    [301, '', 'it answers 301'],
  ])('when it answers %d with %j', (status, body, reason) => {
    const result = judgeAnswer({ status, body });
    expect(result.isHealthy ? undefined : result.reason).toBe(reason);
  });
});

describe('unitCheck()', () => {
  test.each([
    ['active', 0, undefined],
    ['activating', 3, '"orchestrator" is not active (activating)'],
    ['failed', 3, '"orchestrator" is not active (failed)'],
    ['', 1, '"orchestrator" is not active (systemctl ends with 1)'],
  ])('when systemctl says %j and ends with %d', async (word, exitCode, reason) => {
    scene.fake('systemctl', `echo ${word}; exit ${exitCode}`);
    const result = await scene.withTools(() => unitCheck('orchestrator').run(signal));
    expect(result.isHealthy ? undefined : result.reason).toBe(reason);
  });
});

function answering(answer: Partial<{ exitCode: number; stdout: string; stderr: string }>): FindStack {
  return async () => ({
    services: () => [{ name: 'there', image: 'a:1' }],
    containers: async () => [],
    exec: async () => ({ exitCode: 0, stdout: '', stderr: '', ...answer }),
  });
}

describe('redisCheck()', () => {
  test.each([
    [{ stdout: 'PONG\n' }, undefined],
    [{ stdout: 'NOAUTH Authentication required.\n' }, undefined],
    [
      { stdout: 'LOADING Redis is loading the dataset in memory\n' },
      'LOADING Redis is loading the dataset in memory',
    ],
    [
      { exitCode: 1, stderr: 'Could not connect to Redis at 127.0.0.1:6379\n' },
      'Could not connect to Redis at 127.0.0.1:6379',
    ],
    [{ exitCode: 1 }, 'redis-cli ends with 1'],
  ])('when redis-cli answers %j', async (answer, reason) => {
    const result = await redisCheck(answering(answer), 'there').run(signal);
    expect(result.isHealthy ? undefined : result.reason).toBe(reason);
  });

  test('has nothing to say when the stack has no such service', async () => {
    const check = redisCheck(answering({ exitCode: 1 }), 'elsewhere');
    expect(await check.run(signal)).toEqual({ isHealthy: true });
  });
});

describe('databaseCheck()', () => {
  test.each([
    [{ stdout: '1\n' }, undefined, undefined],
    [
      { exitCode: 1, stderr: 'notice\nit does not accept connections\n' },
      undefined,
      'it does not accept connections',
    ],
    [{ stdout: '0003\n' }, ['0003'], undefined],
    [{ stdout: 'b\na\n' }, ['a', 'b'], undefined],
    [{ stdout: '0002\n' }, ['0003'], 'the schema is at "0002", not at "0003"'],
    [{ stdout: '' }, ['0003'], 'the schema is at no revision, not at "0003"'],
    [{ stdout: '0003\n0002\n' }, ['0003'], 'the schema is at "0003", "0002", not at "0003"'],
  ])('when psql answers %j and the heads are %j', async (answer, heads, reason) => {
    const result = await databaseCheck(answering(answer), 'there', heads).run(signal);
    expect(result.isHealthy ? undefined : result.reason).toBe(reason);
  });
});

describe('findExecutableChecks()', () => {
  const put = (name: string, script: string, mode = 0o755) =>
    scene.write(`root/etc/homie/health/${name}`, `#!/bin/sh\n${script}\n`, mode);

  test('finds those of both folders in order, and tells what is no executable', () => {
    put('required.d/20-door', 'exit 0');
    put('required.d/10-lamp', 'exit 0');
    put('required.d/README.md', '', 0o644);
    put('wanted.d/weather', 'exit 0');
    const checks = findExecutableChecks(scene.places.root, log);
    expect(checks.map(({ name, isRequired }) => [name, isRequired])).toEqual([
      ['10-lamp', true],
      ['20-door', true],
      ['weather', false],
    ]);
    const readme = scene.at('root/etc/homie/health/required.d/README.md');
    expect(told).toEqual([`Cannot use the health check "${readme}": it is not an executable file`]);
  });

  test('finds none, and says nothing, when there are no folders', () => {
    expect(findExecutableChecks(scene.places.root, log)).toEqual([]);
    expect(told).toEqual([]);
  });

  test.each([
    ['exit 0', undefined],
    ['echo well; exit 0', undefined],
    ['echo first; echo "the lamp is broken" >&2; echo; exit 1', 'the lamp is broken'],
    ['exit 3', 'it ends with 3'],
  ])('takes exit code and last line for the answer when it does %j', async (script, reason) => {
    put('required.d/lamp', script);
    const [check] = findExecutableChecks(scene.places.root, log);
    const result = await check?.run(signal);
    expect(result).toEqual(reason === undefined ? { isHealthy: true } : { isHealthy: false, reason });
  });

  test('ends one that hangs when it is told to, with what it has started', async () => {
    put('required.d/lamp', `sleep 60 & echo $! > '${scene.at('hanging')}'; wait`);
    const [check] = findExecutableChecks(scene.places.root, log);
    await Promise.try(() => check?.run(AbortSignal.timeout(500))).catch(() => {});
    expect(isAlive(Number(scene.read('hanging')))).toBe(false);
  });
});

describe('findChecks()', () => {
  const find = (config: Partial<UpdateConfig> = {}) =>
    scene.withTools(() =>
      findChecks({
        root: scene.places.root,
        config: { ...defaultConfig(scene.places).update, ...config },
        log,
        signal,
      }),
    );
  const namesOf = async (config: Partial<UpdateConfig> = {}) => (await find(config)).map(({ name }) => name);

  function composeFile(...services: string[]): void {
    scene.write('root/opt/homie_orchestrator/docker-compose.yml', '');
    const lines = services.map((name) => `  ${name}: {image: "a:1"}`).join('\\n');
    scene.fake('docker-compose', `case "$*" in *config) printf 'services:\\n${lines}\\n';; esac`);
  }

  test('asks only from outside when the slot has no compose file', async () => {
    expect(await namesOf()).toEqual(['http', 'unit']);
  });

  test('asks of the stack what it has', async () => {
    composeFile('postgres', 'core');
    expect(await namesOf()).toEqual(['http', 'unit', 'compose', 'database']);
    expect(await namesOf({ redisService: 'core', databaseService: 'none' })).toEqual([
      'http',
      'unit',
      'compose',
      'redis',
    ]);
  });

  test('fails each check of the stack, and itself does not, when the compose file cannot be read', async () => {
    composeFile();
    scene.fake(
      'docker-compose',
      'case "$*" in *config) echo "services.core must be a mapping" >&2; exit 1;; esac',
    );
    const checks = await find();
    expect(checks.map(({ name }) => name)).toEqual(['http', 'unit', 'compose', 'database', 'redis']);
    const compose = checks.find(({ name }) => name === 'compose');
    const reason = await scene.withTools(() =>
      Promise.try(() => compose?.run(signal)).catch((error: Error) => error.message),
    );
    expect(reason).toContain('services.core must be a mapping');
  });

  test('leaves out what is disabled, and tells once a name that nothing has', async () => {
    expect(await namesOf({ disabledChecks: ['unit', 'redis', 'typo'] })).toEqual(['http']);
    expect(told).toEqual([
      'Cannot disable the check "typo": it is unknown (known are: http, unit, compose, database, redis)',
    ]);
  });

  test('says so when nothing required is left', async () => {
    expect(await namesOf({ disabledChecks: ['http', 'unit'] })).toEqual([]);
    expect(told).toEqual(['No required check is left: any state counts as healthy']);
  });

  test('gives a file that is called like another check a name of its own', async () => {
    scene.write('root/etc/homie/health/required.d/http', '#!/bin/sh\n', 0o755);
    scene.write('root/etc/homie/health/wanted.d/http', '#!/bin/sh\n', 0o755);
    expect(await namesOf()).toEqual(['http', 'unit', 'required.d/http', 'wanted.d/http']);
  });
});
