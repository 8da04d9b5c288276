import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { forEachLineOf } from './socket-lines.ts';

export interface Answer {
  exitCode: number;
  /** Both streams. */
  output: string;
}

interface Question {
  mark: string;
  /** Undefined until the board has begun with it. */
  lines: string[] | undefined;
  resolve: (answer: Answer | undefined) => void;
}

/** What the board's own `timeout` takes to end a command, on a busy machine. */
const graceMs = 30_000;

/** Root's commands on the board, over a line of their own beside the console; a system that comes up says so there. */
export class Shell {
  readonly #socket: Socket;
  /** When a saved board resumes, each question gets only its own answer. */
  readonly #name = `@${randomBytes(4).toString('hex')}`;
  readonly #waitingForBoot = new Set<(bootId: string) => void>();
  #bootId: string | undefined;
  #question: Question | undefined;
  #count = 0;

  static async open(path: string): Promise<Shell> {
    const socket = connect(path);
    await once(socket, 'connect');
    return new Shell(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => this.#lose());
    forEachLineOf(this.#socket, (line) => this.#take(line));
  }

  /** Undefined where the board does not answer, or goes away meanwhile. It ends the command itself after `timeoutMs`. */
  async ask(command: string, timeoutMs: number): Promise<Answer | undefined> {
    if (this.#question !== undefined) throw new Error('the board answers one question at a time');
    this.#count += 1;
    const mark = `${this.#name}-${this.#count}`;
    const { promise, resolve } = Promise.withResolvers<Answer | undefined>();
    this.#question = { mark, lines: undefined, resolve };
    const timer = setTimeout(() => resolve(undefined), timeoutMs + graceMs);
    this.#socket.write(`${mark} ${Math.ceil(timeoutMs / 1000)} ${command.replaceAll('\n', '; ')}\n`);
    const answer = await promise;
    clearTimeout(timer);
    this.#question = undefined;
    return answer;
  }

  /** The id of a boot other than that one, as soon as its system is up; undefined where none comes in time. */
  async bootAfter(bootId: string | undefined, timeoutMs: number): Promise<string | undefined> {
    if (this.#bootId !== undefined && this.#bootId !== bootId) return this.#bootId;
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const take = (id: string): void => {
      if (id !== bootId) resolve(id);
    };
    this.#waitingForBoot.add(take);
    const timer = setTimeout(() => resolve(undefined), timeoutMs);
    const id = await promise;
    clearTimeout(timer);
    this.#waitingForBoot.delete(take);
    return id;
  }

  get bootId(): string | undefined {
    return this.#bootId;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(line: string): void {
    const bootId = /^@boot ([\da-f-]{36})$/.exec(line)?.[1];
    if (bootId !== undefined) {
      this.#bootId = bootId;
      this.#lose();
      for (const take of this.#waitingForBoot) take(bootId);
      return;
    }
    const question = this.#question;
    if (question === undefined) return;
    const [, mark, what] = /^(@[\da-f]+-\d+) (begin|\d+)$/.exec(line) ?? [];
    if (mark !== question.mark) question.lines?.push(line);
    else if (what === 'begin') question.lines = [];
    else question.resolve({ exitCode: Number(what), output: (question.lines ?? []).join('\n') });
  }

  #lose(): void {
    this.#question?.resolve(undefined);
  }
}
