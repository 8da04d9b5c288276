import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { BootStage } from '../support/scene/boot-stage.ts';
import { closeTransaction } from '../support/scene/by-hand.ts';
import { transactionAt } from '../support/scene/transactions.ts';

/** A webhook of the test's own, and a program: each is told of a verdict once, and can break nothing. */

class Webhook implements AsyncDisposable {
  readonly bodies: unknown[] = [];
  answer: () => Response | Promise<Response> = () => new Response(undefined, { status: 204 });
  readonly #server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async (request) => {
      expect(request.method).toBe('POST');
      expect(request.headers.get('content-type')).toBe('application/json');
      this.bodies.push(await request.json());
      return await this.answer();
    },
  });

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}/verdicts`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
  }
}

let stage: BootStage;
beforeEach(() => {
  stage = new BootStage();
});
afterEach(() => stage[Symbol.asyncDispose]());

const committed = {
  format: 1,
  id: 'the-id:4',
  state: 'committed',
  at: expect.any(String),
  reason: null,
  from: '1.0.0',
  to: '1.1.0',
  slot: 'rootfs.1',
  running: '1.1.0',
  anomalies: [],
};

/** The boot of the new version, up to its commit. */
function bootNew(): void {
  stage.leaveUpdate(transactionAt('installed'));
  stage.bootInto({ booted: 'rootfs.1' });
}

describe('a verdict', () => {
  test('is posted to the webhook once, and not what was before there was one', async () => {
    await using webhook = new Webhook();
    closeTransaction(stage.places, { ...transactionAt('failed'), id: 'long-ago' });
    stage.configure({ verdict_webhook: webhook.url });
    bootNew();
    expect((await stage.postActivate()).exitCode).toBe(0);
    expect(webhook.bodies).toEqual([committed]);
    expect((await stage.postActivate()).exitCode).toBe(0);
    expect(webhook.bodies).toHaveLength(1);
  });

  test('is given to the program as one line of JSON on its stdin', async () => {
    const program = stage.write('tell', `#!/bin/sh\ncat >> '${stage.at('told')}'\n`, 0o755);
    stage.configure({ verdict_command: program });
    bootNew();
    expect((await stage.postActivate()).exitCode).toBe(0);
    expect(
      stage
        .read('told')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([committed]);
  });

  test('is reported again until the receiver answers, and fails nothing', async () => {
    await using webhook = new Webhook();
    webhook.answer = () => new Response('not now', { status: 503 });
    stage.configure({ verdict_webhook: webhook.url });
    bootNew();
    const ended = await stage.postActivate();
    expect(ended.stderr).toContain(`Cannot report what is new: "${webhook.url}" answered with 503`);
    expect(stage.states().at(-1)).toBe('committed');
    expect(ended.exitCode).toBe(0);

    webhook.answer = () => new Response('ok');
    await stage.postActivate();
    await stage.postActivate();
    expect(webhook.bodies).toEqual([committed, committed]);
  });

  test('fails nothing when the program fails or is not there, or the webhook never answers', async () => {
    await using webhook = new Webhook();
    webhook.answer = () => Promise.withResolvers<Response>().promise;
    const program = stage.write('tell', '#!/bin/sh\necho "no such host" >&2; exit 7\n', 0o755);
    const settings = [
      { verdict_command: program },
      { verdict_command: '/nowhere/tell' },
      { verdict_webhook: webhook.url },
    ];
    for (const setting of settings) {
      stage.configure(setting);
      bootNew();
      const ended = await stage.postActivate();
      expect(ended.stderr).toContain('Cannot report what is new: ');
      expect(ended.exitCode).toBe(0);
    }
  }, 60_000);

  test('of a rollback is told with its reason as soon as the version before runs again', async () => {
    await using webhook = new Webhook();
    stage.health.answer = () => new Response('', { status: 500 });
    stage.configure({ verdict_webhook: webhook.url });
    bootNew();
    expect((await stage.postActivate()).exitCode).toBe(30);
    // It is not over before the version before it runs again.
    expect(webhook.bodies).toEqual([]);
    stage.health.answer = () => new Response('ok');
    stage.bootInto({ booted: 'rootfs.0' });
    expect((await stage.postActivate()).exitCode).toBe(0);
    expect(webhook.bodies).toMatchObject([
      { state: 'rolled-back', reason: expect.stringContaining('"1.1.0" is not healthy') },
    ]);
  });
});

describe('anomalies', () => {
  test('is logged as a warning once', async () => {
    closeTransaction(stage.places, transactionAt('committed'));
    stage.bootInto({ booted: 'rootfs.0' });
    const what =
      'Warning: slot "rootfs.0" runs, though the last update, to "1.1.0" in slot "rootfs.1", was committed';
    expect((await stage.postActivate()).stderr).toContain(what);
    expect((await stage.postActivate()).stderr).not.toContain('Warning:');
    expect(stage.read('data/logs/update.log').split(what)).toHaveLength(2);
  });
});
