import { Failure } from '../failure.ts';

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

  /**
   * The name of an argument with an empty value: an unset variable in a script makes one, and as a path it would mean
   * the current folder.
   */
  emptyOne(): string | undefined {
    return Object.keys(this.#values).find((name) => this.#values[name] === '');
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  number(name: string): number | undefined {
    const value = this.#values[name];
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    throw new Failure(`Cannot read --${name}: expected a number`, { outcome: 'usage' });
  }
}
