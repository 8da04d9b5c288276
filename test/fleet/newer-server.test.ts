import { describe, expect, test } from 'bun:test';
import { FleetAgent } from '../../shared/fleet/agent.ts';
import type { Log } from '../../shared/system/terminal/log.ts';
import { DdiLine } from '../../shared/transfer/request/ddi-line.ts';
import { ModelDevice } from './model-device.ts';

/**
 * What only servers after 0.3.0M7 have, in the words of their documentation: the confirmation flow and installedBase. The
 * real server of the stories knows neither.
 */

const artifact = {
  filename: 'x.raucb',
  size: 3,
  hashes: {},
  _links: { 'download-http': { href: 'http://127.0.0.1/x.raucb' } },
};
const work = {
  download: 'forced',
  update: 'forced',
  chunks: [{ part: 'os', name: 'homie', version: '1.1.0', artifacts: [artifact] }],
};

class NewerServer implements Disposable {
  isConfirmed = false;
  readonly posts: { path: string; body: Record<string, unknown> }[] = [];
  readonly #server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: (request) => this.#answer(request) });
  readonly base = `http://127.0.0.1:${this.#server.port}/DEFAULT/controller/v1/x`;
  links: Record<string, { href: string }> = {
    confirmationBase: { href: `${this.base}/confirmationBase/7?c=1` },
  };

  async #answer(request: Request): Promise<Response> {
    const path = new URL(request.url).pathname.replace('/DEFAULT/controller/v1/x', '');
    if (request.method !== 'GET') {
      const body = (await request.json()) as Record<string, unknown>; // the agent sends objects
      this.posts.push({ path, body });
      if (body['confirmation'] === 'confirmed')
        this.links = { deploymentBase: { href: `${this.base}/deploymentBase/7?c=1` } };
      return new Response();
    }
    if (path === '') return Response.json({ config: { polling: { sleep: '00:00:01' } }, _links: this.links });
    if (path === '/confirmationBase/7') return Response.json({ id: '7', confirmation: work });
    return Response.json({ id: '7', deployment: work });
  }

  /** What was said to the confirmation. */
  get answers(): unknown[] {
    return this.posts
      .filter(({ path }) => path === '/confirmationBase/7/feedback')
      .map(({ body }) => body['confirmation']);
  }

  [Symbol.dispose](): void {
    void this.#server.stop(true);
  }
}

function agentOf(server: NewerServer, device: ModelDevice, consent: 'automatic' | 'ask') {
  const said: string[] = [];
  const { signal } = new AbortController();
  const line = new DdiLine({ base: server.base, credentials: { headers: {}, tls: undefined } }, signal);
  const say = (text: string): void => void said.push(text);
  const log = { info: say, warn: say, error: say, lastLine: '' } as unknown as Log; // what the agent uses of it
  return { said, agent: new FleetAgent(line, device, { log, signal, consent }) };
}

describe('the confirmation flow', () => {
  test('is confirmed by itself, and carried out to its end', async () => {
    using server = new NewerServer();
    const device = new ModelDevice();
    const { agent } = agentOf(server, device, 'automatic');
    await agent.round();
    expect(server.answers).toEqual(['confirmed']);
    for (let round = 0; round < 3; round += 1) await agent.round();
    expect(device.running).toBe('1.1.0');
    expect(device.readAction()).toMatchObject({ stage: 'closed', verdict: { isSuccess: true } });
  });

  test('waits for a yes of the device, which counts for what is only attempted too', async () => {
    using server = new NewerServer();
    const device = new ModelDevice();
    const { agent, said } = agentOf(server, device, 'ask');
    await agent.round();
    await agent.round();
    expect(server.answers).toEqual([]);
    expect(said.join('\n')).toContain('Action 7 waits for "update.sh consent yes"');
    const action = device.readAction();
    if (action === undefined) throw new Error('there is no action');
    device.writeAction({ ...action, consent: 'yes' });
    for (let round = 0; round < 3; round += 1) await agent.round();
    expect(server.answers).toEqual(['confirmed']);
    expect(device.running).toBe('1.1.0');
  });

  test('is denied once when a user says no, and nothing is fetched', async () => {
    using server = new NewerServer();
    const device = new ModelDevice();
    const { agent } = agentOf(server, device, 'ask');
    await agent.round();
    const action = device.readAction();
    if (action === undefined) throw new Error('there is no action');
    device.writeAction({ ...action, consent: 'no' });
    await agent.round();
    await agent.round();
    expect(server.answers).toEqual(['denied']);
    expect(device.fetches).toBe(0);
  });
});

test('installedBase: what the server takes for installed is told where it is not what runs, once', async () => {
  using server = new NewerServer();
  server.links = { installedBase: { href: `${server.base}/installedBase/7` } };
  const { agent, said } = agentOf(server, new ModelDevice(), 'automatic');
  await agent.round();
  await agent.round();
  const lines = said.filter((line) => line.includes('takes version "1.1.0" for installed, "1.0.0" runs'));
  expect(lines).toHaveLength(1);
});
