import type { Log } from './log.ts';
import { print } from './print.ts';
import { isTerminal } from './terminal.ts';

const usualColumns = 80;

/** One line at the bottom of a terminal that changes in place. It is shown only on a terminal. */
export class StatusLine {
  readonly isShown = isTerminal(2);
  #isOpen = false;

  show(text: string): void {
    if (!this.isShown) return;
    // A terminal without a size, as over a serial line, reports 0.
    const columns = process.stderr.columns || usualColumns;
    print(2, `\r\x1b[K${text.slice(0, columns - 1)}`);
    this.#isOpen = true;
  }

  clear(): void {
    if (!this.#isOpen) return;
    print(2, '\r\x1b[K');
    this.#isOpen = false;
  }

  /** The same log, with its lines above the status line. */
  above(log: Log): Log {
    const aside = (write: (line: string) => void) => (line: string) => {
      this.clear();
      write(line);
    };
    return {
      info: aside(log.info),
      warn: aside(log.warn),
      error: aside(log.error),
      alsoTo: aside(log.alsoTo),
      step: (doing, done, thing, work) => {
        this.clear();
        return log.step(doing, done, thing, async () => {
          const result = await work();
          this.clear();
          return result;
        });
      },
      get lastLine() {
        return log.lastLine;
      },
    };
  }
}
