import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { version } from '../../package.json';
import { Scene } from '../support/scene/scene.ts';

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});
afterEach(() => scene[Symbol.dispose]());

const programs = [
  'system-check',
  'install-check',
  'pre-install',
  'post-install',
  'post-activate',
  'update.sh',
];

describe('the door', () => {
  test('ends with 0 and touches nothing when RAUC calls a hook that is not known', async () => {
    const ended = await scene.run(['slot-post-activate']);
    expect(ended).toMatchObject({
      stderr: 'Nothing to do for the hook "slot-post-activate"\n',
      stdout: '',
      exitCode: 0,
    });
    expect(scene.calls()).toEqual([]);
    expect(readdirSync(scene.places.run)).toEqual([]);
  });

  test('ends with 2 when nothing is said', async () => {
    const ended = await scene.run([]);
    expect(ended.stderr).toBe('Cannot run a hook: its name is missing. See hook --help\n');
    expect(ended.exitCode).toBe(2);
  });

  test('tells version and help on stdout', async () => {
    expect(await scene.run(['--version'])).toMatchObject({ stdout: `${version}\n`, stderr: '', exitCode: 0 });
    const help = await scene.run(['--help']);
    expect(help).toMatchObject({ stderr: '', exitCode: 0 });
    for (const name of programs) expect(help.stdout).toContain(name);
    expect(help.stdout).toContain('\nUsage: hook ');
    expect(help.stdout).toContain('\nExamples:\n  hook install-check ');
    expect(help.stdout).toMatch(/^ {2}0 {2}done$/m);
  });

  test.each(programs)('%s has a help with its options and exit codes', async (name) => {
    const { exitCode, stdout, stderr } = await scene.run([name, '--help']);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`${name}: `);
    expect(stdout).toMatch(/^ *30 {2}rolled back$/m);
  });

  test.each(programs)('%s names an option it does not know, and ends with 2', async (name) => {
    const words = name === 'update.sh' ? [name, 'status', '--bundel', '/mnt'] : [name, '--bundel', '/mnt'];
    const ended = await scene.run(words);
    expect(ended.reason).toMatch(/^Cannot read the arguments: .*bundel.*See .* --help$/);
    expect(ended.exitCode).toBe(2);
    expect(scene.calls()).toEqual([]);
  });

  test.each(programs)('is %s when it is called under that name', async (name) => {
    const { stdout, exitCode } = await scene.run(['--help'], { calledAs: `/some/where/${name}` });
    expect(stdout).toStartWith(`${name}: `);
    expect(exitCode).toBe(0);
  });
});
