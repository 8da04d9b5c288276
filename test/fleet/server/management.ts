import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** The operator's side of hawkBit: its Management API, as far as the stories need it. */

export interface ActionStatus {
  type: string;
  messages: string[];
}

export interface ActionFacts {
  /** `pending` or `finished`. */
  status: string;
  /** hawkBit's own word, of the last state: `running`, `finished`, `error`, `canceling`, `canceled` … */
  detail: string;
}

type Json = Record<string, unknown>;

/** Of these the action does not change its state. */
const comments = ['retrieved', 'warning'];

export class Management {
  readonly #url: string;

  constructor(serverUrl: string) {
    this.#url = `${serverUrl}/rest/v1`;
  }

  async addTargets(targets: readonly { controllerId: string; securityToken: string }[]): Promise<void> {
    const bodies = targets.map((target) => ({ ...target, name: target.controllerId }));
    await this.#send('POST', '/targets', bodies);
  }

  /** A distribution set with one module with this file in it; answers with its id. */
  async addRelease(version: string, file: string, content?: Uint8Array<ArrayBuffer>): Promise<number> {
    const name = `homie-${crypto.randomUUID().slice(0, 8)}`;
    const [module] = await this.#list('POST', '/softwaremodules', [{ name, version, type: 'os' }]);
    const form = new FormData();
    form.append('file', new Blob([content ?? new Uint8Array(readFileSync(file))]), basename(file));
    await this.#ask('POST', `/softwaremodules/${module?.['id']}/artifacts`, form);
    const modules = [{ id: module?.['id'] }];
    const [set] = await this.#list('POST', '/distributionsets', [{ name, version, type: 'os', modules }]);
    return Number(set?.['id']);
  }

  async artifacts(moduleId: number): Promise<Json[]> {
    return await this.#list('GET', `/softwaremodules/${moduleId}/artifacts`);
  }

  async metadata(moduleId: number): Promise<Record<string, string>> {
    const answer = await this.#send('GET', `/softwaremodules/${moduleId}/metadata?limit=50`);
    const content = answer['content'] as { key: string; value: string }[]; // by the documentation of this API
    return Object.fromEntries(content.map(({ key, value }) => [key, value]));
  }

  /** Answers with the action's id. */
  async assign(
    release: number,
    controllerId: string,
    options: { type?: string; maintenanceWindow?: Json } = {},
  ): Promise<string> {
    const wish = {
      id: controllerId,
      type: options.type ?? 'forced',
      ...withWindow(options.maintenanceWindow),
    };
    const answer = await this.#send('POST', `/distributionsets/${release}/assignedTargets`, [wish]);
    const [action] = answer['assignedActions'] as { id: number }[]; // by the documentation of this API
    return String(action?.id);
  }

  async action(controllerId: string, id: string): Promise<ActionFacts> {
    const { status } = await this.#send('GET', `/targets/${controllerId}/actions/${id}`);
    const last = (await this.history(controllerId, id)).findLast(({ type }) => !comments.includes(type));
    return { status: String(status), detail: last?.type ?? 'none' };
  }

  /** Oldest first. */
  async history(controllerId: string, id: string): Promise<ActionStatus[]> {
    const answer = await this.#send(
      'GET',
      `/targets/${controllerId}/actions/${id}/status?limit=200&sort=id:ASC`,
    );
    const content = answer['content'] as { type: string; messages: (string | null)[] }[]; // by its documentation
    return content.map(({ type, messages }) => ({
      type,
      messages: messages.filter((text) => text !== null),
    }));
  }

  async cancel(controllerId: string, id: string): Promise<void> {
    await this.#ask('DELETE', `/targets/${controllerId}/actions/${id}`);
  }

  async target(controllerId: string): Promise<Json> {
    return await this.#send('GET', `/targets/${controllerId}`);
  }

  async targets(query: string): Promise<number> {
    return Number((await this.#send('GET', `/targets?limit=1&q=${encodeURIComponent(query)}`))['total']);
  }

  async attributes(controllerId: string): Promise<Json> {
    return await this.#send('GET', `/targets/${controllerId}/attributes`);
  }

  async configure(key: string, value: unknown): Promise<void> {
    await this.#send('PUT', `/system/configs/${key}`, { value });
  }

  async addRollout(rollout: Json): Promise<number> {
    return Number((await this.#send('POST', '/rollouts', rollout))['id']);
  }

  async rollout(id: number): Promise<Json> {
    return await this.#send('GET', `/rollouts/${id}`);
  }

  async groups(id: number): Promise<Json[]> {
    return (await this.#send('GET', `/rollouts/${id}/deploygroups?sort=id:ASC`))['content'] as Json[]; // by its documentation
  }

  /** The controller ids. */
  async firstGroup(id: number): Promise<string[]> {
    const [group] = await this.groups(id);
    const answer = await this.#send('GET', `/rollouts/${id}/deploygroups/${group?.['id']}/targets?limit=500`);
    return (answer['content'] as { controllerId: string }[]).map(({ controllerId }) => controllerId); // by its documentation
  }

  async startRollout(id: number): Promise<void> {
    await this.#ask('POST', `/rollouts/${id}/start`);
  }

  async #list(method: string, path: string, body?: unknown): Promise<Json[]> {
    return (await this.#json(method, path, body)) as Json[]; // by the documentation of this API
  }

  async #send(method: string, path: string, body?: unknown): Promise<Json> {
    return (await this.#json(method, path, body)) as Json; // by the documentation of this API
  }

  async #json(method: string, path: string, body?: unknown): Promise<unknown> {
    const text = await this.#ask(method, path, body === undefined ? undefined : JSON.stringify(body));
    return text === '' ? {} : JSON.parse(text);
  }

  async #ask(method: string, path: string, body?: string | FormData): Promise<string> {
    const answer = await fetch(`${this.#url}${path}`, {
      method,
      headers: {
        Authorization: `Basic ${btoa('admin:admin')}`,
        Accept: 'application/json',
        ...(typeof body === 'string' && { 'Content-Type': 'application/json' }),
      },
      ...(body !== undefined && { body }),
      signal: AbortSignal.timeout(120_000),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text;
  }
}

function withWindow(maintenanceWindow: Json | undefined): Json {
  return maintenanceWindow === undefined ? {} : { maintenanceWindow };
}
