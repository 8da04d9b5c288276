import { readFileSync } from 'node:fs';
import { formatRun } from './outcome.ts';
import type { FileRun } from './run-file.ts';
import type { Listener } from './run-plan.ts';
import { worthSaying } from './worth-saying.ts';

/** Says of each file how it ended, and in a silence what is still running. */
export class Progress implements Listener, Disposable {
  readonly #tell: (text: string) => void;
  readonly #begun = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(tell: (text: string) => void, silenceMs = 60_000) {
    this.#tell = tell;
    this.#timer = setInterval(() => this.#tellRunning(), silenceMs);
  }

  begins(file: string): void {
    this.#begun.set(file, performance.now());
  }

  ends(run: FileRun): void {
    this.#begun.delete(run.file);
    const said = run.log === undefined ? '' : readFileSync(run.log, 'utf8');
    this.#tell(`${formatRun(run)}\n${worthSaying(said)}`);
    this.#timer.refresh();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #tellRunning(): void {
    const files = [...this.#begun].map(
      ([file, begun]) => `${file} (${Math.round((performance.now() - begun) / 1000)} s)`,
    );
    this.#tell(`still running: ${files.join(', ')}\n`);
  }
}
