import type * as v from 'valibot';
import type { Places } from '../system/places.ts';

type AnySchema = v.GenericSchema<unknown, unknown>;

/** One key of `orchestrator.yaml`: what it takes, what it is for, and what holds where it is not given. */
export interface Key<Schema extends AnySchema = AnySchema, Default = unknown> {
  takes: Schema;
  /** A line of docs/configuration.md. */
  words: string;
  default: Default;
}

/** A key that may be left out: its value is undefined then. */
export function key<Schema extends AnySchema>(words: string, takes: Schema): Key<Schema, undefined>;
export function key<Schema extends AnySchema>(
  words: string,
  takes: Schema,
  usual: v.InferOutput<Schema> | ((places: Places) => v.InferOutput<Schema>),
): Key<Schema, v.InferOutput<Schema>>;
export function key(words: string, takes: AnySchema, usual?: unknown): Key {
  return { takes, words, default: usual };
}

export type Keys = Readonly<Record<string, Key>>;

/** `reserve_mib` → `reserveMiB`, `ca_file` → `caFile`. */
type FieldOf<Name extends string> = Name extends `${infer Rest}_mib`
  ? `${CamelCase<Rest>}MiB`
  : Name extends `${infer Rest}_kib`
    ? `${CamelCase<Rest>}KiB`
    : CamelCase<Name>;

type CamelCase<Name extends string> = Name extends `${infer First}_${infer Rest}`
  ? `${First}${Capitalize<CamelCase<Rest>>}`
  : Name;

/** The keys as a program reads them, each with a value or its default. */
export type ValuesOf<Some extends Keys> = {
  [Name in keyof Some & string as FieldOf<Name>]: Some[Name] extends Key<infer Schema, infer Default>
    ? v.InferOutput<Schema> | (undefined extends Default ? undefined : never)
    : never;
};

export function fieldOf(name: string): string {
  return name
    .replace(/_mib$/, 'MiB')
    .replace(/_kib$/, 'KiB')
    .replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());
}

/** The value of each key: the one that was given, else its default for these places. */
export function valuesOf<Some extends Keys>(
  keys: Some,
  given: Readonly<Record<string, unknown>>,
  places: Places,
): ValuesOf<Some> {
  const values = Object.entries(keys).map(([name, { default: usual }]) => [
    fieldOf(name),
    given[name] ?? (typeof usual === 'function' ? usual(places) : usual),
  ]);
  // The table that the type is made from is the one that is walked here.
  return Object.fromEntries(values) as ValuesOf<Some>;
}
