import type { Argv, Options } from 'yargs';
import { exitCodeTable } from '../exit-code.ts';
import { Failure } from '../failure.ts';
import { Values } from './argument-values.ts';
import { columns } from './columns.ts';
import { completeWords, completionFlag } from './completion.ts';
import type { CommandSpec, Example, OptionSpec, ProgramSpec } from './program-spec.ts';
import { findFlagWithValue, usageFailure, usageReason } from './usage.ts';

/** Reads the arguments and writes the help with yargs; no other file imports yargs. */

export { Values } from './argument-values.ts';
export type { OptionSpec, ProgramSpec } from './program-spec.ts';

export type Parsed = { kind: 'help'; text: string } | { kind: 'command'; command: string; values: Values };

/** Reads arguments against the spec. Throws a usage Failure that names the argument and says what was expected. */
export async function parseArguments(spec: ProgramSpec, argv: readonly string[]): Promise<Parsed> {
  const plain = argv.length === 0 ? plainCall(spec) : undefined;
  if (plain !== undefined) return plain;
  const [first, ...rest] = argv;
  if (first === completionFlag) return { kind: 'help', text: completeWords(spec, rest).trimEnd() };
  const command =
    spec.commands.find(({ name }) => name === undefined || argv.includes(name)) ??
    spec.commands.find(({ isDefault }) => isDefault);
  const required = (command?.positionals ?? []).filter(({ optional }) => !optional).map(({ name }) => name);
  const word = command?.name ?? argv.find((candidate) => !candidate.startsWith('-')) ?? '';
  const flag = findFlagWithValue(argv, (name) => isFlag(spec, name));
  if (flag !== undefined) throw usageFailure(spec.name, `"${flag}" has a value, expected none`);
  // yargs would silently ignore the words behind it.
  if (argv.includes('--')) throw usageFailure(spec.name, 'unknown argument: --');

  let chosen: Extract<Parsed, { kind: 'command' }> | undefined;
  const parser = await createParser(spec, (name, values) => {
    chosen = { kind: 'command', command: name, values: new Values(values) };
  });
  parser.fail((message, error) => {
    throw error instanceof Failure
      ? error
      : usageFailure(spec.name, usageReason(message ?? error.message, word, required));
  });
  let help = '';
  // yargs loses a lone dash.
  const words = argv.map((given) => (given === '-' ? '/dev/stdin' : given));
  await parser.parseAsync(words, {}, (_error: unknown, _argv: unknown, output: string) => {
    help = output;
  });
  if (help !== '') return { kind: 'help', text: help };
  if (chosen === undefined) throw usageFailure(spec.name, 'a command is missing');
  const empty = chosen.values.emptyOne();
  if (empty !== undefined) throw usageFailure(spec.name, `the value of "${empty}" is empty`);
  return chosen;
}

/** RAUC and systemd call without arguments: yargs, which takes half of the start of a hook, is then not loaded. */
function plainCall(spec: ProgramSpec): Parsed | undefined {
  const command = spec.commands.find(({ name, isDefault }) => name === undefined || isDefault);
  if (command === undefined || command.positionals?.some(({ optional }) => !optional)) return undefined;
  const options = Object.entries({ ...spec.options, ...command.options });
  const defaults = options.flatMap(([name, option]) =>
    option.default === undefined ? [] : [[name, option.default] as const],
  );
  return {
    kind: 'command',
    command: command.name ?? '',
    values: new Values(Object.fromEntries(defaults)),
  };
}

function isFlag(spec: ProgramSpec, option: string): boolean {
  const types = [spec, ...spec.commands].flatMap(({ options }) => options?.[option]?.type ?? []);
  return types.length > 0 && types.every((type) => type === 'boolean');
}

async function createParser(
  spec: ProgramSpec,
  choose: (command: string, values: Record<string, unknown>) => void,
): Promise<Argv> {
  const { default: yargs } = await import('yargs');
  let parser: Argv = yargs([])
    .scriptName(spec.name)
    .detectLocale(false)
    .usage(usageOf(spec))
    .exitProcess(false)
    .strict()
    .recommendCommands()
    .version(false)
    .help('help', 'Show this help')
    .alias('help', 'h')
    // A command may have a --version of its own, with a value.
    .option('version', { type: 'boolean', describe: 'Show the version', global: false })
    .parserConfiguration({
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'duplicate-arguments-array': false,
    })
    .wrap(100);
  for (const [name, option] of Object.entries(spec.options ?? {}))
    parser = parser.option(name, yargsOption(option));
  for (const command of spec.commands) {
    parser = parser.command(
      command.isDefault ? [commandLine(command), '$0'] : commandLine(command),
      command.summary,
      (inner) => describeCommand(inner, command),
      (values: Record<string, unknown>) => choose(command.name ?? '', values),
    );
  }
  if (spec.commands.every(({ name, isDefault }) => name !== undefined && !isDefault))
    parser = parser.demandCommand(1, 'a command is missing');
  return parser.epilogue(epilogueOf(spec));
}

/** Like the beginning of a manual page: name and purpose, then how it is called. */
function usageOf({ summary, commands }: ProgramSpec): string {
  const isOne = commands.every(({ name }) => name === undefined);
  return `$0: ${summary}\n\nUsage: $0 ${isOne ? '' : '<command> '}[options]`;
}

function epilogueOf({ examples, notes, files = [] }: ProgramSpec): string {
  const rows = columns(files.map(([path, what]) => [`  ${path}`, what]));
  const parts = [
    examplesText(examples),
    notes,
    files.length === 0 ? undefined : `Files:\n${rows}`,
    exitCodesText(),
  ];
  return parts.filter((part) => part !== undefined).join('\n\n');
}

/** Each line unbroken, so that it can be copied; yargs would break it in the middle of its table. */
function examplesText(examples: readonly Example[] = []): string | undefined {
  if (examples.length === 0) return undefined;
  return `Examples:\n${examples.map(([line, meaning]) => `  ${line}\n      ${meaning}`).join('\n')}`;
}

function commandLine(command: CommandSpec): string {
  const words = (command.positionals ?? []).map(({ name, optional }) =>
    optional ? `[${name}]` : `<${name}>`,
  );
  return [command.name ?? '$0', ...words].join(' ');
}

function describeCommand(parser: Argv, command: CommandSpec): Argv {
  let described = parser;
  for (const { name, describe, choices } of command.positionals ?? []) {
    described = described.positional(name, { describe, type: 'string', ...(choices && { choices }) });
  }
  for (const [name, option] of Object.entries(command.options ?? {})) {
    described = described.option(name, yargsOption(option));
  }
  // yargs shows the program's own epilogue only where no command was named.
  if (command.name === undefined) return described;
  const parts = [examplesText(command.examples), exitCodesText()];
  return described.epilogue(parts.filter((part) => part !== undefined).join('\n\n'));
}

function yargsOption(option: OptionSpec): Options {
  return {
    type: option.type,
    describe: option.value === undefined ? option.describe : `${option.describe} (${option.value})`,
    ...(option.choices === undefined ? {} : { choices: option.choices }),
    ...(option.default === undefined ? {} : { default: option.default }),
    ...(option.type !== 'boolean' ? { requiresArg: true } : {}),
  };
}

function exitCodesText(): string {
  return `Exit codes:\n${exitCodeTable()}`;
}
