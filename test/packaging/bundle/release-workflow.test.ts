import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSpec } from '../../../shared/packaging/commands/build-spec.ts';
import { project } from '../../../shared/packaging/project.ts';
import { allSteps, releaseWorkflow, releaseWorkflowText } from '../../support/build/release-workflow.ts';

/** .github/workflows/release.yml, as far as it can be tried without GitHub. What signs is run in build-commands.test.ts. */

const steps = allSteps();
const scripts = steps.flatMap(({ name, run }) => (run === undefined ? [] : [{ name, run }]));

describe('the release workflow', () => {
  test('starts with a tag, and has no right that it does not need', () => {
    expect(releaseWorkflow.on).toEqual({ push: { tags: ['v*'] } });
    expect(releaseWorkflow.permissions).toEqual({ contents: 'read' });
    const rights = Object.entries(releaseWorkflow.jobs).map(([name, job]) => [name, job.permissions]);
    expect(rights).toEqual([
      ['build', undefined],
      ['publish', { contents: 'write' }],
    ]);
  });

  test('uses actions by their full commit, with the version beside it', () => {
    const used = [...releaseWorkflowText.matchAll(/^ *-? *uses: (.+)$/gm)].map(([, what]) => what);
    expect(used).toHaveLength(steps.filter(({ uses }) => uses !== undefined).length);
    for (const what of used) expect(what).toMatch(/^[a-z-]+\/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test('hands a secret over in the environment of one step, and never in a command', () => {
    for (const { run } of scripts) expect(run).not.toContain('${{');
    const named = [...releaseWorkflowText.matchAll(/secrets\.(\w+)/g)].map(([, name]) => name);
    const inSteps = steps
      .filter(({ env }) => Object.values(env ?? {}).some((value) => value.includes('secrets.')))
      .map(({ name }) => name);
    expect(inSteps).toEqual(['Pack and sign']);
    expect(named.sort()).toEqual(['PKCS11_PIN', 'SIGNING_KEY', 'SIGNING_PASSPHRASE']);
  });

  test('audits and tests before it signs, and publishes what was signed', () => {
    const order = steps.map(({ name, uses }) => name ?? uses?.split('@')[0]);
    const at = (name: string) => {
      expect(order).toContain(name);
      return order.indexOf(name);
    };
    const wanted = [
      'Tag, version and changelog agree',
      'No known hole in what is compiled in, no grave one in what builds it',
      'Test',
      'Pack and sign',
      'Gather, with checksums',
      'actions/upload-artifact',
      'Check once more, then publish',
    ];
    expect(wanted.map(at)).toEqual(wanted.map(at).toSorted((one, other) => one - other));
  });

  test.each(scripts.map(({ name, run }) => [name, run]))('"%s" is a script that bash can read', (_, run) => {
    const { exitCode, stderr } = Bun.spawnSync(['bash', '-n', '-c', run ?? '']);
    expect({ exitCode, stderr: stderr.toString() }).toEqual({ exitCode: 0, stderr: '' });
  });

  test('calls npm scripts and build commands that are there', () => {
    const all = scripts.map(({ run }) => run).join('\n');
    const { scripts: known } = JSON.parse(readFileSync(join(project.root, 'package.json'), 'utf8'));
    const called = [...all.matchAll(/npm run (\S+)/g)].map(([, name]) => name ?? '');
    expect(called.length).toBeGreaterThan(0);
    for (const name of called) expect(Object.keys(known)).toContain(name);
    const buildCommands = buildSpec.commands.map(({ name }) => name);
    const commands = [...all.matchAll(/build\.ts (\S+)/g)].map(([, name]) => name);
    expect(commands.sort()).toEqual(['bundle', 'hooks', 'notes', 'rootfs']);
    for (const name of commands) expect(buildCommands).toContain(name ?? '');
  });
});
