import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { findCompose } from '../../shared/stack/compose.ts';
import { lastLines } from '../../shared/stack/service-log.ts';
import { failureOf } from '../support/failure-of.ts';
import { Scene } from '../support/scene/scene.ts';

let scene: Scene;
let file: string;
beforeEach(() => {
  scene = new Scene();
  file = scene.write('opt/homie/docker-compose.yml', '');
});
afterEach(() => scene[Symbol.dispose]());

const find = () => scene.withTools(() => findCompose(file));
const config = 'printf "services:\\n  core: {image: a:1}\\n"';

describe('findCompose()', () => {
  test('prefers the program that the unit calls, and names project and files itself', async () => {
    scene.fake('docker-compose', `case "$*" in *config) ${config};; esac`);
    scene.fake('docker', '');
    const compose = await find();
    expect(compose.project).toBe('homie');
    expect(compose.services()).toEqual([{ name: 'core', image: 'a:1' }]);
    await scene.withTools(() => compose.up(['core'], { noDeps: true }));
    await scene.withTools(() => compose.up([]));
    await scene.withTools(() => compose.stop(['core']));
    const place = `--project-directory=${scene.at('opt/homie')} --file=${file}`;
    expect(scene.calls()).toEqual([
      'docker-compose version --short',
      `docker-compose ${place} config`,
      `docker-compose ${place} --project-name=homie up --detach --no-deps core`,
      `docker-compose ${place} --project-name=homie up --detach`,
      `docker-compose ${place} --project-name=homie stop core`,
    ]);
  });

  test('takes the word of docker, and the name it says, when there is no such program', async () => {
    scene.fake('docker-compose', 'exit 127');
    scene.fake('docker', `case "$*" in *config) echo "name: chosen"; ${config};; esac`);
    const compose = await find();
    await scene.withTools(() => compose.stop());
    expect(compose.project).toBe('chosen');
    expect(scene.calls().at(-1)).toEndWith('--project-name=chosen stop');
    expect(scene.calls().at(-1)).toStartWith('docker compose --project-directory=');
  });

  test('names both when there is neither', async () => {
    scene.fake('docker-compose', 'echo "no python" >&2; exit 1');
    scene.fake('docker', 'echo "docker: unknown command: docker compose" >&2; exit 1');
    const failure = await failureOf(find);
    expect(failure.message).toBe(
      'Cannot find Docker Compose: neither "docker-compose" ("docker-compose" ended with 1 (no python)) nor "docker compose" ("docker" ended with 1 (docker: unknown command: docker compose)) answers',
    );
    expect(failure.advice).toBeDefined();
  });

  test('reads the file that overrides it too', async () => {
    const override = scene.write('opt/homie/docker-compose.override.yml', '');
    scene.fake('docker-compose', `case "$*" in *config) ${config};; esac`);
    await find();
    expect(scene.calls().at(-1)).toEndWith(`--file=${file} --file=${override} config`);
  });

  test("takes the project's name of .env when that says one", async () => {
    scene.write('opt/homie/.env', 'COMPOSE_PROJECT_NAME=other\n');
    scene.fake('docker-compose', `case "$*" in *config) ${config};; esac`);
    expect((await find()).project).toBe('other');
  });

  test('asks once for a file, and again when it has changed', async () => {
    scene.fake('docker-compose', `case "$*" in *config) ${config};; esac`);
    await find();
    await find();
    expect(scene.calls()).toHaveLength(2);
    scene.write('opt/homie/docker-compose.yml', '# another');
    await find();
    expect(scene.calls()).toHaveLength(4);
  });

  test('says why when the file cannot be used', async () => {
    scene.fake('docker-compose', 'case "$*" in *config) echo "bad indent" >&2; exit 1;; esac');
    const failure = await failureOf(find);
    expect(failure.message).toBe(
      `Cannot use the compose file "${file}": "docker-compose" ended with 1 (bad indent)`,
    );
  });

  test('says so when there is no such file', async () => {
    const failure = await failureOf(() => findCompose('/nowhere/docker-compose.yml'));
    expect(failure.message).toBe('Cannot use the compose file "/nowhere/docker-compose.yml": no such file');
  });
});

test('exec() asks once which container it is, and again only when that has left', async () => {
  scene.fake('docker-compose', `case "$*" in *config) ${config};; esac`);
  scene.fake('docker', docker);
  const compose = await find();
  const run = () => scene.withTools(() => compose.exec('core', ['true']));
  const calls = () => scene.calls().flatMap((call) => /^docker (\w+)/.exec(call)?.[1] ?? []);
  await run();
  await run();
  expect(calls()).toEqual(['ps', 'inspect', 'exec', 'exec']);
  scene.write('gone', '');
  scene.write('id', 'second');
  await run();
  expect(calls().slice(4)).toEqual(['exec', 'ps', 'inspect', 'exec']);
  scene.write('failing', '');
  await failureOf(run);
  expect(calls().slice(8)).toEqual(['exec']);
});

/** Knows one container of core by its id; the first one may be gone, and what is run may fail. */
const docker = `id=$(cat id 2>/dev/null || echo first)
case "$1" in
  ps) echo "$id" ;;
  inspect) echo '[{"Id":"'"$id"'","RestartCount":0,"State":{"Status":"running","ExitCode":0,"StartedAt":"now"},"HostConfig":{},"Config":{"Image":"a:1","Labels":{"com.docker.compose.service":"core"}}}]' ;;
  exec)
    if [ -e gone ] && [ "$2" = first ]; then echo 'Error response from daemon: container first is not running' >&2; exit 1; fi
    if [ -e failing ]; then echo 'it is not running' >&2; exit 1; fi ;;
esac`;

describe('lastLines()', () => {
  test.each([
    ['one\ntwo\n', 100, 'one\ntwo\n'],
    ['one\ntwo\n', 8, 'one\ntwo\n'],
    ['one\ntwo\n', 6, 'two\n'],
    ['one\ntwo\n', 4, 'two\n'],
    ['one\ntwo', 3, 'two'],
    ['öne\ntwö\n', 7, 'twö\n'],
    ['a line that is longer than all', 8, 'than all'],
  ])('of %j, %d bytes', (text, bytes, tail) => {
    expect(lastLines(text, bytes)).toBe(tail);
  });
});
