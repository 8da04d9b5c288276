import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';

/** What was asked: the first line and the headers, their names in small letters. */
export interface Asked {
  path: string;
  headers: Readonly<Record<string, string>>;
  /** Of `Range: bytes=FROM-TO`. */
  range: { from: number; to: number } | undefined;
}

/** Called for each request; what it writes goes out as it is, be it HTTP or not. */
export type Behaviour = (asked: Asked, line: Socket) => void | Promise<void>;

/** A server on loopback with full control over the connection: a test can write any bytes, or cut it. */
export class HostileServer implements AsyncDisposable {
  readonly asked: Asked[] = [];
  readonly #server: Server;
  readonly #lines = new Set<Socket>();
  readonly #scheme: 'http' | 'https';

  private constructor(behave: Behaviour, tls: TlsOptions | undefined) {
    this.#scheme = tls === undefined ? 'http' : 'https';
    const serve = (line: Socket): void => this.#serve(line, behave);
    this.#server = tls === undefined ? createServer({ noDelay: true }, serve) : createTlsServer(tls, serve);
    // A client that hangs up in the handshake is what some tests are about.
    this.#server.on('tlsClientError', () => {});
  }

  static async start(behave: Behaviour, tls?: TlsOptions): Promise<HostileServer> {
    const server = new HostileServer(behave, tls);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get origin(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port; // a TCP server's address is no path
  }

  get url(): string {
    return `${this.origin}/latest.raucb`;
  }

  /** Each request's Range, `none` without one. */
  ranges(): string[] {
    return this.asked.map(({ headers }) => headers['range'] ?? 'none');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const line of this.#lines) line.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(line: Socket, behave: Behaviour): void {
    this.#lines.add(line);
    let text = '';
    line.on('error', () => {});
    line.on('close', () => this.#lines.delete(line));
    line.on('data', (bytes) => {
      text += bytes.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const asked = readRequest(text.slice(0, end));
        text = text.slice(end + 4);
        this.asked.push(asked);
        void behave(asked, line);
      }
    });
  }
}

function readRequest(head: string): Asked {
  const [first = '', ...lines] = head.split('\r\n');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const range = /^bytes=(\d+)-(\d+)$/.exec(headers['range'] ?? '');
  return {
    path: first.split(' ')[1] ?? '',
    headers,
    range: range === null ? undefined : { from: Number(range[1]), to: Number(range[2]) },
  };
}

/** A status line and headers. */
export function head(status: number, headers: Record<string, string | number> = {}): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Whatever\r\n${lines.join('')}\r\n`;
}

/** A whole answer. */
export function reply(
  line: Socket,
  status: number,
  headers: Record<string, string | number> = {},
  body = '',
): void {
  line.write(`${head(status, { 'Content-Length': Buffer.byteLength(body), ...headers })}${body}`);
}
