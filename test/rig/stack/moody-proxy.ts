import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { Failure } from '../../../shared/system/failure.ts';

/** Which requests it is moody about; images' parts, not the client's first greeting, where nothing is said. */
export interface Mood {
  times: number;
  path?: RegExp;
}

type Answer = (incoming: IncomingMessage, response: ServerResponse) => void;

const partsOfImages = /^\/v2\/.+\/(manifests|blobs)\//;

/** Stands before a registry; tells the truth but where it was told to be moody. */
export class MoodyProxy implements AsyncDisposable {
  /** The first part of an image's name, as the registry's own. */
  readonly name: string;
  /** Method and path of each request that has come, in order. */
  readonly requests: string[] = [];
  readonly #close: () => Promise<void>;
  readonly #moods: (Required<Mood> & { answer: Answer })[] = [];

  private constructor(port: number, close: () => Promise<void>) {
    this.name = `127.0.0.1:${port}`;
    this.#close = close;
  }

  static async start(registryPort: number): Promise<MoodyProxy> {
    let proxy: MoodyProxy | undefined;
    const server = createServer((incoming, response) => proxy?.answer(incoming, response, registryPort));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Failure('Cannot start a proxy: no port');
    proxy = new MoodyProxy(address.port, async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return proxy;
  }

  /** Whether something it was told to do is still to come. */
  get isMoody(): boolean {
    return this.#moods.some(({ times }) => times > 0);
  }

  /** Answers 429 so many times. */
  tooManyRequests({ times, path = partsOfImages }: Mood, retryAfterSeconds = 1): void {
    const body = JSON.stringify({ errors: [{ code: 'TOOMANYREQUESTS', message: 'too many requests' }] });
    const headers = { 'Retry-After': retryAfterSeconds, 'Content-Type': 'application/json' };
    this.#moods.push({ times, path, answer: (_, response) => response.writeHead(429, headers).end(body) });
  }

  /** Breaks so many connections before a byte of the answer. */
  resetConnections({ times, path = partsOfImages }: Mood): void {
    this.#moods.push({ times, path, answer: (incoming) => incoming.socket.destroy() });
  }

  /** For the server. */
  answer(incoming: IncomingMessage, response: ServerResponse, registryPort: number): void {
    const { method = 'GET', url = '/', headers } = incoming;
    this.requests.push(`${method} ${url}`);
    const mood = this.#moods.find(({ times, path }) => times > 0 && path.test(url));
    if (mood !== undefined) {
      mood.times -= 1;
      mood.answer(incoming, response);
      return;
    }
    const onward = request(
      { host: '127.0.0.1', port: registryPort, method, path: url, headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => incoming.socket.destroy());
    incoming.pipe(onward);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }
}
