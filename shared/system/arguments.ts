import type { Argv, Options } from 'yargs';
import { exitCodeTable } from './exit-code.ts';
import { Failure } from './failure.ts';

/** What a command takes. yargs reads it and writes the help; nothing else imports yargs. */

export interface OptionSpec {
  type: 'string' | 'boolean' | 'number';
  describe: string;
  choices?: readonly string[];
  default?: string | boolean | number;
  /** What the value stands for in the help, as in `--data DIR`. */
  value?: string;
}

export interface PositionalSpec {
  name: string;
  describe: string;
  optional?: boolean;
}

export interface CommandSpec {
  /** The word that selects it; none for a program that does one thing. */
  name?: string;
  summary: string;
  positionals?: readonly PositionalSpec[];
  options?: Readonly<Record<string, OptionSpec>>;
}

export interface ProgramSpec {
  name: string;
  summary: string;
  commands: readonly CommandSpec[];
  /** Options of every command. */
  options?: Readonly<Record<string, OptionSpec>>;
  examples?: readonly (readonly [line: string, meaning: string])[];
  /** A paragraph or two under the options. */
  notes?: string;
}

export type Parsed = { kind: 'help'; text: string } | { kind: 'command'; command: string; values: Values };

/** Reads arguments against the spec. Throws a usage Failure that names the argument and says what was expected. */
export async function parseArguments(spec: ProgramSpec, argv: readonly string[]): Promise<Parsed> {
  const { default: yargs } = await import('yargs');
  let chosen: Parsed | undefined;
  const choose =
    (command: CommandSpec) =>
    (values: Record<string, unknown>): void => {
      chosen = { kind: 'command', command: command.name ?? '', values: new Values(values) };
    };
  let parser: Argv = yargs([])
    .scriptName(spec.name)
    .detectLocale(false)
    .usage(`$0: ${spec.summary}`)
    .exitProcess(false)
    .strict()
    .recommendCommands()
    .version(false)
    .help('help', 'Show this help')
    .alias('help', 'h')
    .option('version', { type: 'boolean', describe: 'Show the version' })
    .parserConfiguration({
      'boolean-negation': false,
      'camel-case-expansion': false,
      'duplicate-arguments-array': false,
    })
    .wrap(100)
    .fail((message, error) => {
      throw error instanceof Failure
        ? error
        : new Failure(`Cannot read the arguments: ${lowerFirst(message ?? error.message)}`, {
            outcome: 'usage',
            advice: `See ${spec.name} --help`,
          });
    });
  for (const [name, option] of Object.entries(spec.options ?? {}))
    parser = parser.option(name, yargsOption(option));
  for (const command of spec.commands) {
    parser = parser.command(
      commandLine(command),
      command.summary,
      (inner) => describeCommand(inner, command),
      choose(command),
    );
  }
  if (spec.commands.every((command) => command.name !== undefined))
    parser = parser.demandCommand(1, 'say what to do');
  for (const [line, meaning] of spec.examples ?? []) parser = parser.example(line, meaning);
  parser = parser.epilogue(
    `${spec.notes === undefined ? '' : `${spec.notes}\n\n`}Exit codes:\n${exitCodeTable()}`,
  );

  let help = '';
  await parser.parseAsync([...argv], {}, (_error: unknown, _argv: unknown, output: string) => {
    help = output;
  });
  if (help !== '') return { kind: 'help', text: help };
  if (chosen === undefined)
    throw new Failure('Cannot read the arguments: say what to do', {
      outcome: 'usage',
      advice: `See ${spec.name} --help`,
    });
  return chosen;
}

/** Arguments as they were given, read by type; a missing one is `undefined`. */
export class Values {
  readonly #values: Record<string, unknown>;

  constructor(values: Record<string, unknown>) {
    this.#values = values;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return value === undefined || value === null ? undefined : String(value);
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  number(name: string): number | undefined {
    const value = this.#values[name];
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    throw new Failure(`Cannot read --${name}: a number was expected`, { outcome: 'usage' });
  }
}

function commandLine(command: CommandSpec): string {
  const words = (command.positionals ?? []).map(({ name, optional }) =>
    optional ? `[${name}]` : `<${name}>`,
  );
  return [command.name ?? '$0', ...words].join(' ');
}

function describeCommand(parser: Argv, command: CommandSpec): Argv {
  let described = parser;
  for (const { name, describe } of command.positionals ?? []) {
    described = described.positional(name, { describe, type: 'string' });
  }
  for (const [name, option] of Object.entries(command.options ?? {})) {
    described = described.option(name, yargsOption(option));
  }
  return described;
}

function yargsOption(option: OptionSpec): Options {
  return {
    type: option.type,
    describe: option.value === undefined ? option.describe : `${option.describe} (${option.value})`,
    ...(option.choices === undefined ? {} : { choices: option.choices }),
    ...(option.default === undefined ? {} : { default: option.default }),
    ...(option.type === 'string' ? { requiresArg: true } : {}),
  };
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
