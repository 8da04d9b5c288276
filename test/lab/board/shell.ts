import { connect, type Socket } from 'node:net';
import { forEachLineOf } from './socket-lines.ts';

export interface Answer {
  exitCode: number;
  /** Both streams. */
  output: string;
}

/** Root's commands on the board, over a line of their own beside the console. */
export class Shell {
  readonly #socket: Socket;
  #lines: string[] = [];
  #mark = '';
  #done: ((answer: Answer) => void) | undefined;
  #count = 0;

  constructor(path: string) {
    this.#socket = connect(path);
    this.#socket.on('error', () => {});
    forEachLineOf(this.#socket, (line) => {
      // Before the board has its line in hand it sends back what it gets.
      const [, mark, code] = /^(@\d+) (\d+)$/.exec(line) ?? [];
      if (mark === this.#mark) this.#done?.({ exitCode: Number(code), output: this.#lines.join('\n') });
      else this.#lines.push(line);
    });
  }

  /** Undefined where it does not answer in time, or the board goes away meanwhile. */
  async ask(command: string, timeoutMs: number): Promise<Answer | undefined> {
    this.#count += 1;
    this.#mark = `@${this.#count}`;
    this.#lines = [];
    const { promise, resolve } = Promise.withResolvers<Answer | undefined>();
    this.#done = resolve;
    const timer = setTimeout(() => resolve(undefined), timeoutMs);
    this.#socket.write(`${this.#mark} ${command.replaceAll('\n', '; ')}\n`);
    const answer = await promise;
    clearTimeout(timer);
    return answer;
  }

  close(): void {
    this.#socket.destroy();
  }
}
