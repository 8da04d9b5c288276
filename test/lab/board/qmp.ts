import { connect, type Socket } from 'node:net';
import { forEachLineOf } from './socket-lines.ts';

/** QEMU's control socket: one JSON object a line (QMP specification). */
export class Qmp {
  readonly #socket: Socket;
  readonly #events: string[] = [];
  readonly #waiting: { resolve: (value: unknown) => void; reject: (error: Error) => void }[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('close', () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error('qemu has ended'));
    });
    forEachLineOf(socket, (line) => this.#take(JSON.parse(line)));
  }

  static async open(path: string): Promise<Qmp> {
    const qmp = new Qmp(connect(path));
    await qmp.run('qmp_capabilities');
    return qmp;
  }

  run(command: string, options: Record<string, unknown> = {}): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.push({ resolve, reject });
    this.#socket.write(`${JSON.stringify({ execute: command, arguments: options })}\n`);
    return promise;
  }

  /** How often the machine has told of it. */
  countOf(event: string): number {
    return this.#events.filter((name) => name === event).length;
  }

  #take(message: { return?: unknown; error?: { desc: string }; event?: string }): void {
    if ('return' in message) this.#waiting.shift()?.resolve(message.return);
    else if (message.error !== undefined) this.#waiting.shift()?.reject(new Error(message.error.desc));
    else if (message.event !== undefined) this.#events.push(message.event);
  }
}
