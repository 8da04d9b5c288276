/** Reads server-sent events as they come. */
export class EventReader implements AsyncDisposable {
  readonly #reader: {
    read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
    cancel(): Promise<void>;
  };
  readonly #decoder = new TextDecoder();
  #text = '';

  constructor(answer: Response) {
    if (answer.body === null) throw new Error('an answer without a body');
    this.#reader = answer.body.getReader();
  }

  /** The next block up to its empty line; undefined where the stream has ended. */
  async next(): Promise<string | undefined> {
    for (;;) {
      const end = this.#text.indexOf('\n\n');
      if (end >= 0) {
        const block = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return block;
      }
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      this.#text += this.#decoder.decode(value, { stream: true });
    }
  }

  /** The data of the next event of this name; what comes between is passed over. */
  async data(event: string): Promise<unknown> {
    for (;;) {
      const block = await this.next();
      if (block === undefined) throw new Error('the stream has ended');
      const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
      if (name === event) return JSON.parse(data ?? '');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel();
  }
}
