import { describe, expect, test } from 'bun:test';
import { existsSync, statSync } from 'node:fs';
import { command } from '../../shared/system/process/command.ts';
import { ApiStage, api } from '../support/servers/api-stage.ts';
import { NotifySocket } from '../support/servers/notify-socket.ts';

describe('update.sh serve on a unix socket', () => {
  test('is for root and its group, answers curl, and takes the place of one that was left', async () => {
    await using stage = new ApiStage();
    const socket = stage.at('run/api.sock');
    stage.configure({ api_listen: socket });
    const first = await stage.serve();
    expect(first.said).toContain(`Listening on "${socket}"`);
    const { mode } = statSync(socket);
    expect([mode & 0o170000, mode & 0o777]).toEqual([0o140000, 0o660]);
    const curl = command({ deadlineMs: 10_000 });
    const url = `http://localhost${api}/status`;
    const { stdout } = await curl`curl --silent --fail --unix-socket ${socket} ${url}`;
    expect(JSON.parse(stdout)).toMatchObject({ format: 1, booted: 'rootfs.0' });

    await first.stop('SIGKILL');
    expect(existsSync(socket)).toBe(true);
    await stage.serve();
    const again = await curl`curl --silent --fail --unix-socket ${socket} ${url}`;
    expect(JSON.parse(again.stdout)).toMatchObject({ format: 1 });
  });

  test('leaves a file alone that is no socket', async () => {
    await using stage = new ApiStage();
    const file = stage.write('run/api.sock', 'of somebody');
    stage.configure({ api_listen: file });
    const ended = await stage.run(['update.sh', 'serve']);
    expect(ended.reason).toStartWith(`Cannot listen on "${file}": `);
    expect(ended.exitCode).toBe(1);
    expect(stage.read('run/api.sock')).toBe('of somebody');
  });
});

describe('update.sh serve under systemd', () => {
  test('says when it is ready, that it lives, and when it stops', async () => {
    await using stage = new ApiStage();
    using manager = new NotifySocket(stage.at('notify'));
    const env = { NOTIFY_SOCKET: manager.path, WATCHDOG_USEC: '1000000' };
    const service = await stage.serve({ env });
    expect(manager.receive()).toBe('READY=1');
    const heard: string[] = [];
    const started = performance.now();
    while (heard.length < 4) heard.push(manager.receive());
    expect(heard).toEqual(Array.from({ length: 4 }, () => 'WATCHDOG=1'));
    // The first comes with READY, then one each half of what systemd waits for.
    expect(performance.now() - started).toBeLessThan(3 * 1_000);

    expect(await service.stop()).toBe(0);
    while (heard.at(-1) === 'WATCHDOG=1') heard.push(manager.receive());
    expect(heard.at(-1)).toBe('STOPPING=1');
  });

  test('serves without a service manager, and sends no message', async () => {
    await using stage = new ApiStage();
    const service = await stage.serve({
      env: { NOTIFY_SOCKET: stage.at('not-there'), WATCHDOG_USEC: '200000' },
    });
    expect((await service.get('/health')).status).toBe(200);
  });
});
