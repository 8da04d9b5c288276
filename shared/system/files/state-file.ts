import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { isMissing } from '../failure.ts';
import { type Places, updateFolderOf } from '../places.ts';
import { makeFolder, writeDurably } from './durable-file.ts';

/** The content of a state file. Damaged: it is no JSON, of another format, or cannot be read; `error` says which. */
export type Found<Value> =
  | { kind: 'known'; value: Value }
  | { kind: 'missing' }
  | { kind: 'damaged'; error: unknown };

export interface StateFileWish {
  /** The folder that the file lies in; the updater's on the data partition where none is given. */
  folder?: (places: Places) => string;
  /** Of the file, 0o644 where none is given. */
  mode?: number;
  /** Spaces before each level, for files that a person reads. */
  indent?: number;
}

/**
 * One small JSON file that programs of this version, the next and the previous one read. Its schema keeps unknown fields;
 * what a missing or a damaged file means is for the caller to say.
 */
export class StateFile<Schema extends v.GenericSchema<unknown, unknown>> {
  readonly #schema: Schema;
  readonly #name: string;
  readonly #wish: StateFileWish;

  constructor(schema: Schema, name: string, wish: StateFileWish = {}) {
    this.#schema = schema;
    this.#name = name;
    this.#wish = wish;
  }

  pathIn(places: Places): string {
    const { folder = updateFolderOf } = this.#wish;
    return join(folder(places), this.#name);
  }

  find(places: Places): Found<v.InferOutput<Schema>> {
    try {
      const content: unknown = JSON.parse(readFileSync(this.pathIn(places), 'utf8'));
      return { kind: 'known', value: v.parse(this.#schema, content) };
    } catch (error) {
      return isMissing(error) ? { kind: 'missing' } : { kind: 'damaged', error };
    }
  }

  /** The content; undefined where the file is missing or damaged. */
  read(places: Places): v.InferOutput<Schema> | undefined {
    const found = this.find(places);
    return found.kind === 'known' ? found.value : undefined;
  }

  /** Puts the file in place whole or not at all, and makes its folder. Throws what the system says. */
  write(places: Places, value: v.InferInput<Schema>): void {
    const { mode = 0o644, indent } = this.#wish;
    const path = this.pathIn(places);
    makeFolder(dirname(path));
    writeDurably(path, `${JSON.stringify(value, undefined, indent)}\n`, mode);
  }
}

/** For what the next reboot forgets. */
export function runFolderOf({ run }: Places): string {
  return run;
}
