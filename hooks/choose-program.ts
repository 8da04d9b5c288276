import { basename } from 'node:path';
import { type ProgramName, programNames } from '../shared/update/slot/program-names.ts';

/** A program other than `hook`, which only runs one of the others. */
export type Story = Exclude<ProgramName, 'hook'>;

export type Choice =
  | { kind: 'story'; story: Story; args: readonly string[] }
  | { kind: 'version' }
  | { kind: 'help' }
  /** RAUC asked for a hook that this version does not know: it is ignored, as RAUC expects. */
  | { kind: 'unknown-hook'; name: string }
  | { kind: 'nothing-said' };

/** RAUC's names for its hooks (RAUC manual, "Hooks"), and the programs that answer to them. */
const hookNames: ReadonlyMap<string, Story> = new Map([
  ['install-check', 'install-check'],
  ['slot-pre-install', 'pre-install'],
  ['slot-post-install', 'post-install'],
]);

/**
 * Chooses by the name of the called file; for `hook`, by the first argument, which is how RAUC calls it. RAUC 1.8 passes a
 * handler the arguments that the bundle chose, so the system's handler ignores them: --help would let the bundle pass.
 */
export function chooseProgram(calledAs: string, args: readonly string[], isRaucsHandler = false): Choice {
  const name = basename(calledAs);
  if (name === 'system-check' && isRaucsHandler) return { kind: 'story', story: name, args: [] };
  const [first, ...rest] = args;
  if (first === '--version') return { kind: 'version' };
  const story = stories.find((candidate) => candidate === name);
  if (story !== undefined) return chooseByName(story, args);

  if (first === undefined) return { kind: 'nothing-said' };
  if (first === '--help' || first === '-h') return { kind: 'help' };
  const asked = hookNames.get(first) ?? stories.find((candidate) => candidate === first);
  return asked === undefined
    ? { kind: 'unknown-hook', name: first }
    : { kind: 'story', story: asked, args: rest };
}

const stories = programNames.filter((name): name is Story => name !== 'hook');

/** A hook that is a script of its own would be called as `pre-install slot-pre-install`. */
function chooseByName(story: Story, args: readonly string[]): Choice {
  const [first, ...rest] = args;
  const isHookName = first === 'install-check' || first?.startsWith('slot-');
  if (first === undefined || !isHookName || story === 'update.sh') return { kind: 'story', story, args };
  return hookNames.get(first) === story
    ? { kind: 'story', story, args: rest }
    : { kind: 'unknown-hook', name: first };
}
