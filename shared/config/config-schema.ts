import * as v from 'valibot';
import { notList, readCheckedYaml, readUsableYaml, type YamlProblem } from './checked-yaml.ts';
import type { Keys } from './key.ts';
import { windowSchema } from './schedule-keys.ts';
import { storageKeys } from './storage-keys.ts';
import { updateKeys } from './update-keys.ts';

const storageSchema = v.looseObject(optional(storageKeys));
/** Strict, since these keys are the updater's own: a misspelt one would silently mean the default. */
const updateSchema = v.strictObject(optional(updateKeys));

type Optional<Some extends Keys> = { [Name in keyof Some]: v.OptionalSchema<Some[Name]['takes'], undefined> };

function optional<Some extends Keys>(keys: Some): Optional<Some> {
  const entries = Object.entries(keys).map(([name, { takes }]) => [name, v.optional(takes)]);
  // Key by key what the type says.
  return Object.fromEntries(entries) as Optional<Some>;
}

/** The rest of the file belongs to the orchestrator. A section whose lines are all comments is null. */
const fileSchema = v.pipe(
  v.unknown(),
  notList,
  v.looseObject({
    orchestrator: v.nullish(
      v.pipe(
        v.unknown(),
        notList,
        v.looseObject({ storage: v.nullish(v.pipe(v.unknown(), notList, storageSchema)) }),
      ),
    ),
    update: v.nullish(v.pipe(v.unknown(), notList, updateSchema)),
  }),
);

export interface ConfigText {
  storage: v.InferOutput<typeof storageSchema>;
  update: v.InferOutput<typeof updateSchema>;
}

/** Parses and checks; `path` is for the message only. Throws a usage Failure at the first thing that is wrong. */
export function readConfigText(text: string, path: string): ConfigText {
  return sectionsOf(readCheckedYaml(text, checkedAt(path)));
}

/** Reads what can be used of it, and names what cannot. */
export function readUsableConfigText(
  text: string,
  path: string,
): { text: ConfigText; problems: readonly YamlProblem[] } {
  const { value, problems } = readUsableYaml(text, checkedAt(path));
  return { text: sectionsOf(value), problems };
}

function checkedAt(path: string) {
  return {
    what: `the config "${path}"`,
    schema: fileSchema,
    knownKeys: (way: readonly string[]) =>
      Object.keys((way.includes('windows') ? windowSchema : updateSchema).entries),
    // update.KEY, orchestrator.storage.KEY
    depthOf: ([section]: readonly string[]) => (section === 'update' ? 2 : 3),
  };
}

function sectionsOf({ orchestrator, update }: v.InferOutput<typeof fileSchema>): ConfigText {
  return { storage: orchestrator?.storage ?? {}, update: update ?? {} };
}
