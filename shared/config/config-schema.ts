import * as v from 'valibot';
import { notList, readCheckedYaml } from './checked-yaml.ts';
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

/** Parses and checks; `path` is for the message only. */
export function readConfigText(text: string, path: string): ConfigText {
  const { orchestrator, update } = readCheckedYaml(text, {
    what: `the config "${path}"`,
    schema: fileSchema,
    knownKeys: (way) => Object.keys((way.includes('windows') ? windowSchema : updateSchema).entries),
  });
  return { storage: orchestrator?.storage ?? {}, update: update ?? {} };
}
