import type { CommandSpec, OptionSpec, ProgramSpec } from './program-spec.ts';

/** Completion: the words that may come next on the command line, from the same spec that the parser and the help read. */

/** The option by which the shell scripts ask: the words after it are those of the line, the last one incomplete. */
export const completionFlag = '--complete';

export const shells = ['bash', 'zsh'] as const;
export type Shell = (typeof shells)[number];

interface Candidate {
  word: string;
  meaning: string;
}

const everywhere: Readonly<Record<string, OptionSpec>> = {
  help: { type: 'boolean', describe: 'Show this help' },
};

/** One line per candidate, with its meaning after a tab; none where a file is expected, which the shell completes better. */
export function completeWords(spec: ProgramSpec, words: readonly string[]): string {
  const current = words.at(-1) ?? '';
  const found = candidatesFor(spec, words.slice(0, -1), current);
  return found
    .filter(({ word }) => word.startsWith(current))
    .map(({ word, meaning }) => `${word}\t${meaning}\n`)
    .join('');
}

function candidatesFor(spec: ProgramSpec, before: readonly string[], current: string): Candidate[] {
  const command = spec.commands.find(({ name }) => name !== undefined && before.includes(name));
  const options = { ...spec.options, ...(command ?? defaultOf(spec))?.options, ...everywhere };
  const previous = before.at(-1) ?? '';
  const asked = previous.startsWith('--') ? options[previous.slice(2)] : undefined;
  if (asked !== undefined && asked.type !== 'boolean') return asChoices(asked.choices ?? [], asked.describe);
  if (current.startsWith('-')) return optionsOf(options, before);
  if (command === undefined) return commandsOf(spec);
  return (command.positionals ?? []).flatMap(({ choices, describe }) => asChoices(choices ?? [], describe));
}

function optionsOf(options: Readonly<Record<string, OptionSpec>>, before: readonly string[]): Candidate[] {
  return Object.entries(options)
    .map(([name, { describe }]) => ({ word: `--${name}`, meaning: describe }))
    .filter(({ word }) => !before.includes(word));
}

function commandsOf({ commands }: ProgramSpec): Candidate[] {
  return commands.flatMap(({ name, summary }) =>
    name === undefined ? [] : { word: name, meaning: summary },
  );
}

function asChoices(choices: readonly string[], meaning: string): Candidate[] {
  return choices.map((word) => ({ word, meaning }));
}

/** The command that runs if none is named. */
function defaultOf({ commands }: ProgramSpec): CommandSpec | undefined {
  return commands.find(({ name, isDefault }) => name === undefined || isDefault);
}

/** A script for the shell to source. It asks the program each time, so that an update brings its own words. */
export function completionScript(shell: Shell, program: string): string {
  return (shell === 'bash' ? bashScript : zshScript).replaceAll('PROGRAM', program);
}

const bashScript = `# Completion of PROGRAM for bash: source <(PROGRAM completion bash)
_homie_update() {
  local IFS=$'\\n' current=\${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=($(compgen -W "$("\${COMP_WORDS[0]}" ${completionFlag} "\${COMP_WORDS[@]:1:COMP_CWORD}" 2> /dev/null | cut -f 1)" -- "$current"))
}
complete -o bashdefault -o default -F _homie_update PROGRAM
`;

const zshScript = `#compdef PROGRAM
# Completion of PROGRAM for zsh, after compinit: source <(PROGRAM completion zsh)
_homie_update() {
  local -a found
  found=(\${(f)"$("\${words[1]}" ${completionFlag} "\${(@)words[2,CURRENT]}" 2> /dev/null)"})
  if (( \${#found} )); then
    found=(\${found//:/\\\\:})
    found=(\${found/$'\\t'/:})
    _describe PROGRAM found
  else
    _files
  fi
}
compdef _homie_update PROGRAM
`;
