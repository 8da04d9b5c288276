/** A connection between device and server that can be cut: transfers break, and there is no answer until it is restored. */
export class CuttableProxy implements Disposable {
  readonly url: string;
  readonly #port: number;
  readonly #target: number;
  #listener: Bun.TCPSocketListener<Pair> | undefined;
  readonly #pairs = new Set<Bun.Socket<Pair>>();
  /** Bytes that have come from the server so far. */
  bytes = 0;

  constructor(serverUrl: string) {
    this.#target = Number(new URL(serverUrl).port);
    this.#listener = this.#listen(0);
    this.#port = this.#listener.port;
    this.url = `http://127.0.0.1:${this.#port}`;
  }

  cut(): void {
    this.#listener?.stop(true);
    this.#listener = undefined;
    for (const socket of this.#pairs) {
      socket.data.server?.terminate();
      socket.terminate();
    }
    this.#pairs.clear();
  }

  mend(): void {
    this.#listener ??= this.#listen(this.#port);
  }

  #listen(port: number): Bun.TCPSocketListener<Pair> {
    return Bun.listen<Pair>({
      hostname: '127.0.0.1',
      port,
      socket: {
        open: (socket) => {
          this.#pairs.add(socket);
          socket.data = { server: undefined, waiting: [], back: [] };
          void this.#connect(socket);
        },
        data: (socket, bytes) => {
          const { server, waiting } = socket.data;
          if (server === undefined) waiting.push(Buffer.from(bytes));
          else server.write(bytes);
        },
        drain: (socket) => flush(socket),
        close: (socket) => {
          this.#pairs.delete(socket);
          socket.data.server?.end();
        },
      },
    });
  }

  async #connect(client: Bun.Socket<Pair>): Promise<void> {
    const server = await Bun.connect({
      hostname: '127.0.0.1',
      port: this.#target,
      socket: {
        data: (_, bytes) => {
          this.bytes += bytes.length;
          client.data.back.push(Buffer.from(bytes));
          flush(client);
        },
        close: () => {
          client.end();
        },
      },
    });
    client.data.server = server;
    for (const bytes of client.data.waiting.splice(0)) server.write(bytes);
  }

  [Symbol.dispose](): void {
    this.cut();
  }
}

interface Pair {
  server: Bun.Socket | undefined;
  waiting: Buffer[];
  back: Buffer[];
}

/** A socket that is full takes only a part. */
function flush(socket: Bun.Socket<Pair>): void {
  const { back, server } = socket.data;
  for (let bytes = back[0]; bytes !== undefined; bytes = back[0]) {
    const written = socket.write(bytes);
    if (written < bytes.length) {
      back[0] = bytes.subarray(Math.max(0, written));
      // What waits here is not to grow without end.
      if (back.length > 64) server?.pause();
      return;
    }
    back.shift();
  }
  server?.resume();
}
