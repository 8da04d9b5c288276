import { describe, expect, test } from 'bun:test';
import { projectNameOf, readComposeConfig } from '../../shared/stack/compose-config.ts';

const digest = `homie/core@sha256:${'a'.repeat(64)}`;

describe('readComposeConfig()', () => {
  test('names services and images, digests as they are', () => {
    const { project, services } = readComposeConfig(
      `services:\n  core:\n    image: ${digest}\n  redis:\n    image: redis:7\n  own:\n    build: .\nversion: '2.4'\n`,
    );
    expect(project).toBeUndefined();
    expect(services).toEqual([
      { name: 'core', image: digest },
      { name: 'redis', image: 'redis:7' },
      { name: 'own', image: undefined },
    ]);
  });

  test("takes the project's name when the second generation says it", () => {
    expect(readComposeConfig('name: homie\nservices: {}\n')).toEqual({ project: 'homie', services: [] });
  });

  test.each([
    ['profiles: [debug]', [], false],
    ['profiles: [debug]', ['debug'], true],
    ['profiles: []', [], true],
    ['scale: 0', [], false],
    ['deploy: {replicas: 0}', [], false],
    ['deploy: {replicas: 2}', [], true],
  ])('leaves out what up does not start when it says %s and the profiles are %j', (line, profiles, is) => {
    const { services } = readComposeConfig(`services:\n  one:\n    image: a:1\n    ${line}\n`, profiles);
    expect(services).toHaveLength(is ? 1 : 0);
  });

  test.each(['', 'services:\n', 'just words', '- a list'])('finds nothing when it reads %j', (text) => {
    expect(readComposeConfig(text).services).toEqual([]);
  });
});

describe('projectNameOf()', () => {
  test.each([
    ['/opt/homie_orchestrator', {}, '', 'homie_orchestrator'],
    ['/opt/Homie Orchestrator-2.0', {}, '', 'homieorchestrator-20'],
    ['/opt/homie', { COMPOSE_PROJECT_NAME: 'Other.Name' }, 'COMPOSE_PROJECT_NAME=third', 'othername'],
    ['/opt/homie', { COMPOSE_PROJECT_NAME: '' }, '# x\nA=1\nCOMPOSE_PROJECT_NAME="third"\n', 'third'],
    ['/opt/homie', {}, 'export COMPOSE_PROJECT_NAME = third', 'third'],
    ['/', {}, '', 'default'],
  ])('when the folder is %j, the environment %j and .env %j', (folder, env, dotEnv, name) => {
    expect(projectNameOf(folder, env, dotEnv)).toBe(name);
  });
});
