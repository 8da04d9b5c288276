import { describe, expect, test } from 'bun:test';
import { exitCodeOf, exitCodeTable } from '../../../shared/system/exit-code.ts';
import { Failure } from '../../../shared/system/failure.ts';
import { type Parsed, type ProgramSpec, parseArguments } from '../../../shared/system/terminal/arguments.ts';

const updater: ProgramSpec = {
  name: 'update.sh',
  summary: 'install an update',
  options: { json: { type: 'boolean', describe: 'Answer in JSON' } },
  commands: [
    {
      name: 'install',
      summary: 'Install a bundle',
      positionals: [{ name: 'file', describe: 'The bundle' }],
      options: {
        data: { type: 'string', describe: 'The data partition', value: 'DIR' },
        version: { type: 'string', describe: 'A version' },
        wait: { type: 'number', describe: 'How long' },
        target: { type: 'string', describe: 'For what', choices: ['arm64', 'x64'], default: 'arm64' },
      },
    },
    {
      name: 'keys',
      summary: 'Change keys',
      positionals: [{ name: 'action', describe: 'What', optional: true, choices: ['create', 'rotate'] }],
    },
  ],
  examples: [['$0 install x.raucb', 'Install x']],
  notes: 'A note.',
};

const hook: ProgramSpec = {
  name: 'pre-install',
  summary: 'back up',
  commands: [{ summary: 'Back up', options: { 'dry-run': { type: 'boolean', describe: 'Only say it' } } }],
};

/** As `updater`, where `install` need not be said. */
const withDefault: ProgramSpec = {
  ...updater,
  commands: updater.commands.map((command) =>
    command.name === 'install'
      ? {
          ...command,
          isDefault: true,
          positionals: [{ name: 'source', describe: 'URL or file', optional: true }],
        }
      : command,
  ),
};

async function valuesOf(argv: readonly string[], spec = updater) {
  const parsed: Parsed = await parseArguments(spec, argv);
  if (parsed.kind === 'help') throw new Error(parsed.text);
  return parsed;
}

async function helpOf(argv: readonly string[], spec = updater): Promise<string> {
  const parsed = await parseArguments(spec, argv);
  return parsed.kind === 'help' ? parsed.text : `command ${parsed.command}`;
}

async function failureOf(argv: readonly string[], spec: ProgramSpec): Promise<Failure> {
  try {
    await parseArguments(spec, argv);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('they were taken');
}

describe('parseArguments()', () => {
  test('reads command, positional, options and defaults', async () => {
    const { command, values } = await valuesOf([
      'install',
      'x y.raucb',
      '--data=/mnt/a b',
      '--wait',
      '2.5',
      '--json',
    ]);

    expect(command).toBe('install');
    expect(values.text('file')).toBe('x y.raucb');
    expect(values.text('data')).toBe('/mnt/a b');
    expect(values.number('wait')).toBe(2.5);
    expect(values.flag('json')).toBe(true);
    expect(values.text('target')).toBe('arm64');
    expect(values.text('version')).toBeUndefined();
  });

  test('leaves what was not given undefined, and flags false', async () => {
    const { values } = await valuesOf(['keys']);
    expect(values.text('action')).toBeUndefined();
    expect(values.number('wait')).toBeUndefined();
    expect(values.flag('json')).toBe(false);
  });

  test.each([
    ['a text that looks like a number', ['install', '007', '--version', '1.10'], 'version', '1.10'],
    ['a positional that looks like a number', ['install', '007'], 'file', '007'],
    ['the last one when an option comes twice', ['install', 'a', '--data', 'x', '--data', 'y'], 'data', 'y'],
    [
      "a command's own --version before the positional",
      ['install', '--version', '1.2.0', 'a'],
      'version',
      '1.2.0',
    ],
    ['a text with a line end', ['install', 'a\nb'], 'file', 'a\nb'],
    ['an option before the command', ['--json', 'install', 'a'], 'file', 'a'],
  ])('takes %s as it is', async (_what, argv, name, text) => {
    expect((await valuesOf(argv)).values.text(name)).toBe(text);
  });

  test.each([
    [['--dry-run'], true],
    [['--dry-run=true'], true],
    [['--dry-run=false'], false],
    [[], false],
  ])('reads the flag of a program without commands from %j', async (argv, flag) => {
    const { command, values } = await valuesOf(argv, hook);
    expect(command).toBe('');
    expect(values.flag('dry-run')).toBe(flag);
  });

  test.each([
    [[], 'a command is missing', updater],
    [['instal'], '"instal" is not known, did you mean "install"', updater],
    [['frobnicate'], 'unknown argument: frobnicate', updater],
    [['install'], '<file> is missing', updater],
    [['install', ''], 'the value of "file" is empty', updater],
    [['install', 'a', 'b'], 'unknown argument: b', updater],
    [['install', 'a', '--dta', 'x'], 'unknown argument: dta', updater],
    [['install', 'a', '-x'], 'unknown argument: x', updater],
    [['install', 'a', '--no-json'], 'unknown argument: no-json', updater],
    [['install', 'a', '--data'], 'not enough arguments following: data', updater],
    [['install', 'a', '--data', '--json'], 'not enough arguments following: data', updater],
    [['install', 'a', '--data', ''], 'the value of "data" is empty', updater],
    [['install', 'a', '--data='], 'the value of "data" is empty', updater],
    [['install', 'a', '--data.x=1'], 'unknown argument: data.x', updater],
    [['install', 'a', '--wait'], 'not enough arguments following: wait', updater],
    [['install', 'a', '--json=yes'], '"--json=yes" has a value, expected none', updater],
    [['install', 'a', '--target', 'mips'], 'target is "mips", expected one of "arm64", "x64"', updater],
    [['keys', 'burn'], 'action is "burn", expected one of "create", "rotate"', updater],
    [['keys', '--data', '/x'], 'unknown argument: data', updater],
    [['x'], 'unknown argument: x', hook],
    [['--dry-run=1'], '"--dry-run=1" has a value, expected none', hook],
    [['--dryrun'], 'unknown argument: dryrun', hook],
    [['--', '--dry-run'], 'unknown argument: --', hook],
    [['--data', '/x', 'install', 'a', '--json=1'], '"--json=1" has a value, expected none', updater],
  ])('refuses in one line, as a usage error: %j, %s', async (argv, reason, spec) => {
    const failure = await failureOf(argv, spec);

    expect(failure.message).toBe(`Cannot read the arguments: ${reason}`);
    expect(failure.advice).toBe(`See ${spec.name} --help`);
    expect(exitCodeOf(failure.outcome)).toBe(2);
  });

  test.each([
    [[], undefined],
    [['http://x/y?status'], 'http://x/y?status'],
    [['install'], undefined],
    [['install', 'a.raucb'], 'a.raucb'],
    [['--json', 'a.raucb'], 'a.raucb'],
    [['-'], '/dev/stdin'],
    [['install', '-'], '/dev/stdin'],
    [['instal'], 'instal'],
  ])('takes %j for the command that need not be said', async (argv, source) => {
    const { command, values } = await valuesOf(argv, withDefault);
    expect([command, values.text('source')]).toEqual(['install', source]);
  });

  test('still takes the other commands by their names, and refuses what is not known', async () => {
    expect((await valuesOf(['keys', 'rotate'], withDefault)).command).toBe('keys');
    expect((await failureOf(['a', 'b'], withDefault)).message).toEndWith('unknown argument: b');
    expect((await failureOf(['keys', '--data', '/x'], withDefault)).message).toEndWith(
      'unknown argument: data',
    );
    expect(await helpOf(['--help'], withDefault)).toMatch(
      /^ {2}update\.sh install \[source\] +Install a bundle +\[default\]/m,
    );
  });

  test('refuses a number that is none when it is asked for', async () => {
    const { values } = await valuesOf(['install', 'a', '--wait', 'long']);
    expect(() => values.number('wait')).toThrow('Cannot read --wait: expected a number');
  });

  test.each([{ argv: ['--help'] }, { argv: ['-h'] }, { argv: ['install', '--help'] }])(
    'shows every exit code when asked for help by $argv',
    async ({ argv }) => {
      expect(await helpOf(argv)).toEndWith(`Exit codes:\n${exitCodeTable()}`);
    },
  );

  test('lists commands, options, examples and notes when asked for help', async () => {
    const help = await helpOf(['--help']);

    expect(help).toStartWith('update.sh: install an update\n');
    expect(help).toMatch(/^ {2}update\.sh install <file> +Install a bundle$/m);
    expect(help).toMatch(/^ {2}update\.sh keys \[action\] +Change keys$/m);
    expect(help).toMatch(/^ +--version +Show the version +\[boolean\]$/m);
    expect(help).toMatch(/^ {2}update\.sh install x\.raucb\n {6}Install x$/m);
    expect(help).toContain('\nA note.\n');
  });

  test("lists a command's own options when asked for its help", async () => {
    const help = await helpOf(['install', '--help']);

    expect(help).toMatch(/--data +The data partition \(DIR\) +\[string\]/);
    expect(help).toMatch(/--version +A version +\[string\]/);
    expect(help).toMatch(/--json +Answer in JSON +\[boolean\]/);
    expect(help).toContain('[choices: "arm64", "x64"] [default: "arm64"]');
  });

  test('shows help when a program without commands is asked for it', async () => {
    expect(await helpOf(['--help'], hook)).toMatch(/--dry-run +Only say it/);
  });
});
