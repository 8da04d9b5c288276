type Word = 'waits' | 'waits for its reboot' | 'success' | 'failure';

/**
 * A server of a fleet (hawkBit's DDI) that has one thing to say: the bundle of the board is to be installed. Whose bundle
 * it is, it leaves to the board's shelf.
 */
export class ModelFleet {
  readonly #deployment: unknown;
  readonly #home: string;
  #lastWord: Word | undefined;
  #isFetching = false;
  #quietPolls = 0;

  /** `home` is where devices ask, `bundle` the artifact. */
  constructor(home: string, version: string, bundle: { url: string; bytes: Uint8Array }) {
    this.#home = home;
    const sha256 = new Bun.CryptoHasher('sha256').update(bundle.bytes).digest('hex');
    const artifact = {
      filename: 'x.raucb',
      size: bundle.bytes.length,
      hashes: { sha256 },
      _links: { 'download-http': { href: bundle.url } },
    };
    const chunks = [{ part: 'os', name: 'homie', version, artifacts: [artifact] }];
    this.#deployment = { id: '7', deployment: { download: 'forced', update: 'forced', chunks } };
  }

  /** What the agent has said last: that it waits, or how the action has ended. */
  get lastWord(): Word | undefined {
    return this.#lastWord;
  }

  /**
   * The agent has come to rest: it asks anew, after a last word or without any. Before an install it asks twice, while it
   * fetches as often as it likes.
   */
  get isQuiet(): boolean {
    return !this.#isFetching && this.#quietPolls >= (this.#lastWord === undefined ? 3 : 1);
  }

  /** Undefined for what is not of the server. */
  async answer(request: Request): Promise<Response | undefined> {
    const isOurs = request.url.startsWith(this.#home);
    if (request.method === 'GET' && isOurs) return this.#tell(request.url.slice(this.#home.length));
    this.#quietPolls = 0;
    this.#isFetching = !isOurs;
    if (!isOurs) return undefined;
    if (request.method === 'POST') this.#lastWord = wordOf(await request.text());
    return new Response();
  }

  #tell(path: string): Response {
    if (path !== '') return Response.json(this.#deployment);
    this.#quietPolls += 1;
    const isClosed = this.#lastWord === 'success' || this.#lastWord === 'failure';
    const links = isClosed ? {} : { deploymentBase: { href: `${this.#home}/deploymentBase/7` } };
    return Response.json({ config: { polling: { sleep: '00:00:01' } }, _links: links });
  }
}

/** Undefined for what the agent only says on its way. */
function wordOf(feedback: string): Word | undefined {
  const [, execution, finished] = /"execution":"(\w+)","result":{"finished":"(\w+)"/.exec(feedback) ?? [];
  if (execution === 'scheduled')
    return feedback.includes('waits for its reboot') ? 'waits for its reboot' : 'waits';
  if (execution !== 'closed') return undefined;
  return finished === 'success' ? 'success' : 'failure';
}
