import * as v from 'valibot';
import { Failure, reasonOf } from '../../system/failure.ts';
import { exchange } from '../../transfer/request/http.ts';

/** A client for the Management API of a hawkBit server (the operator's side), as far as publishing needs it. */

const askMs = 60_000;
/** Long enough for a slow upload. */
const uploadMs = 6 * 60 * 60_000;
const mostBytes = 4 * 1024 * 1024;

const itemSchema = v.looseObject({ id: v.number() });
const pageSchema = v.looseObject({ content: v.array(itemSchema) });
const artifactsSchema = v.array(
  v.looseObject({
    providedFilename: v.string(),
    hashes: v.looseObject({ sha256: v.optional(v.string()) }),
  }),
);
const metadataSchema = v.looseObject({ content: v.optional(v.array(v.looseObject({ key: v.string() }))) });

export interface NamedVersion {
  name: string;
  version: string;
}

export class Hawkbit {
  readonly #url: string;
  readonly #authorization: string;
  readonly #signal: AbortSignal;

  constructor(url: string, authorization: string, signal: AbortSignal) {
    this.#url = `${url.replace(/\/+$/, '')}/rest/v1`;
    this.#authorization = authorization;
    this.#signal = signal;
  }

  /** The id of the software module with that name and version; creates the module if there is none. */
  async module(wish: NamedVersion, description: string): Promise<number> {
    const found = await this.#find('softwaremodules', wish);
    return found ?? (await this.#create('softwaremodules', { ...wish, type: 'os', description }));
  }

  async distributionSet(wish: NamedVersion, moduleId: number): Promise<number> {
    const found = await this.#find('distributionsets', wish);
    return (
      found ?? (await this.#create('distributionsets', { ...wish, type: 'os', modules: [{ id: moduleId }] }))
    );
  }

  /** The sha256 of each artifact, by its file name. */
  async artifacts(moduleId: number): Promise<Map<string, string | undefined>> {
    const answer = v.parse(artifactsSchema, await this.#json('GET', `softwaremodules/${moduleId}/artifacts`));
    return new Map(answer.map(({ providedFilename, hashes }) => [providedFilename, hashes.sha256]));
  }

  async upload(moduleId: number, file: string, name: string): Promise<void> {
    const form = new FormData();
    form.append('file', Bun.file(file), name);
    await this.#ask('POST', `softwaremodules/${moduleId}/artifacts`, form, uploadMs);
  }

  /** Adds the missing keys; keys that the server already has are not changed. */
  async addMetadata(moduleId: number, metadata: Readonly<Record<string, string>>): Promise<void> {
    const path = `softwaremodules/${moduleId}/metadata`;
    const { content = [] } = v.parse(metadataSchema, await this.#json('GET', `${path}?limit=100`));
    const known = content.map(({ key }) => key);
    const missing = Object.entries(metadata).filter(([key]) => !known.includes(key));
    if (missing.length === 0) return;
    const body = missing.map(([key, value]) => ({ key, value, targetVisible: true }));
    await this.#ask('POST', path, JSON.stringify(body));
  }

  async #find(kind: string, { name, version }: NamedVersion): Promise<number | undefined> {
    const query = encodeURIComponent(`name=="${name}" and version=="${version}"`);
    return v.parse(pageSchema, await this.#json('GET', `${kind}?q=${query}`)).content[0]?.id;
  }

  async #create(kind: string, wish: object): Promise<number> {
    const [made] = v.parse(v.array(itemSchema), await this.#json('POST', kind, JSON.stringify([wish])));
    if (made === undefined) throw new Failure(`Cannot publish: the server answers nothing about "${kind}"`);
    return made.id;
  }

  async #json(method: 'GET' | 'POST', path: string, body?: string): Promise<unknown> {
    const text = await this.#ask(method, path, body);
    return JSON.parse(text);
  }

  async #ask(
    method: 'GET' | 'POST',
    path: string,
    body?: string | FormData,
    timeoutMs = askMs,
  ): Promise<string> {
    const url = `${this.#url}/${path}`;
    const answer = await exchange(url, {
      method,
      headers: {
        Authorization: this.#authorization,
        Accept: 'application/json',
        ...(typeof body === 'string' ? { 'Content-Type': 'application/json' } : {}),
      },
      body,
      timeoutMs,
      maxBytes: mostBytes,
      signal: this.#signal,
    }).catch((error: unknown) => {
      this.#signal.throwIfAborted();
      if (error instanceof Failure) throw error;
      throw new Failure(`Cannot publish to "${url}": ${reasonOf(error)}`, {
        outcome: 'tryLater',
        cause: error,
      });
    });
    if (answer.status >= 200 && answer.status < 300) return answer.body;
    throw new Failure(`Cannot publish to "${url}": it answered ${answer.status}`, {
      cause: answer.body.slice(0, 500),
      ...(answer.status === 401 ? { advice: 'See --user-file' } : {}),
    });
  }
}
