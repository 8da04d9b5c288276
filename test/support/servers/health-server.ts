/** The application's health, as it answers from outside. */
export class HealthServer implements AsyncDisposable {
  answer: () => Response | Promise<Response> = () => new Response('ok');
  readonly #server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => this.answer() });

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}/health`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
  }
}

export const sick = (): Response => new Response('no database', { status: 500 });
