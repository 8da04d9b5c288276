/** The arguments of a program: read by the parser, shown by the help. */

export interface OptionSpec {
  type: 'string' | 'boolean' | 'number';
  describe: string;
  choices?: readonly string[];
  default?: string | boolean | number;
  /** What the value stands for in the help, as in `--data DIR`. */
  value?: string;
}

interface PositionalSpec {
  name: string;
  describe: string;
  optional?: boolean;
  choices?: readonly string[];
}

export interface CommandSpec {
  /** The word that selects it; none for a program that does one thing. */
  name?: string;
  /** It runs if no command is named. */
  isDefault?: boolean;
  summary: string;
  positionals?: readonly PositionalSpec[];
  options?: Readonly<Record<string, OptionSpec>>;
  examples?: readonly Example[];
}

/** A line to type, with `$0` for the program's name, and what it does. */
export type Example = readonly [line: string, meaning: string];

export interface ProgramSpec {
  name: string;
  summary: string;
  commands: readonly CommandSpec[];
  /** Options of every command. */
  options?: Readonly<Record<string, OptionSpec>>;
  examples?: readonly Example[];
  /** A paragraph or two under the options. */
  notes?: string;
  /** The files that it reads and writes, shown in its help. */
  files?: readonly (readonly [path: string, what: string])[];
}
