import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { chownSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Containers } from '../../../shared/data/database/database.ts';
import { isWhole, type Redis, saveRedis } from '../../../shared/data/redis/redis.ts';
import { restoreRedis } from '../../../shared/data/redis/redis-restore.ts';
import { waitFor } from '../../rig/stack/wait-for.ts';
import { failureOf } from '../../support/failure-of.ts';
import { onSmallDisk } from '../../support/scene/small-disk.ts';
import { quietLog, type RunningStack, startStack } from '../database/database-stack.ts';

let running: RunningStack;
let redis: Redis;
const log = quietLog();

beforeAll(async () => {
  running = await startStack();
  redis = { containers: running.containers, service: 'redis', dataFolder: join(running.dataFolder, 'redis') };
}, 300_000);

afterAll(() => running[Symbol.asyncDispose](), 60_000);

beforeEach(() => ask('FLUSHALL'));

test('restoreRedis() brings back what was there when it was saved', async () => {
  await ask('SET', 'mood', 'calm');
  const saved = await saveRedis({ ...redis, target: target() });
  await ask('SET', 'mood', 'wild');

  await stopped(async () => {
    chownSync(join(redis.dataFolder, 'dump.rdb'), 999, 998);
    await restoreRedis({ ...redis, saved: target(), file: saved.file, log });
    await restoreRedis({ ...redis, saved: target(), file: saved.file, log });
  });

  expect(saved).toEqual({
    ...saved,
    path: target(),
    bytes: statSync(target()).size,
    file: 'dump.rdb',
    appendOnly: false,
  });
  expect(await ask('GET', 'mood')).toBe('calm');
  expect(readdirSync(running.backups).sort()).toEqual(['x.rdb', 'x.rdb.sha256']);
  const { uid, gid } = statSync(join(redis.dataFolder, 'dump.rdb'));
  expect([uid, gid]).toEqual([999, 998]);
  expect(readdirSync(redis.dataFolder)).toEqual(['dump.rdb']);
});

test('restoreRedis() begins the log of writes anew when redis reads that alone', async () => {
  await ask('CONFIG', 'SET', 'appendonly', 'yes');
  await ask('SET', 'mood', 'calm');
  const saved = await saveRedis({ ...redis, target: target() });
  await ask('SET', 'mood', 'wild');
  await ask('SET', 'more', '1');

  await stopped(() => restoreRedis({ ...redis, saved: target(), file: saved.file, log }));
  const args = ['--dir', '/data', '--appendonly', 'yes', '--port', '7000', '--daemonize', 'yes'];
  await running.containers.exec('redis', ['redis-server', ...args], { deadlineMs: 20_000 });
  await waitFor('redis', async () => (await ask('-p', '7000', 'PING')) === 'PONG');

  expect(saved.appendOnly).toBe(true);
  expect(await ask('-p', '7000', 'GET', 'mood')).toBe('calm');
  expect(await ask('-p', '7000', 'EXISTS', 'more')).toBe('0');
  await ask('-p', '7000', 'SET', 'later', '1');
  await ask('-p', '7000', 'SHUTDOWN', 'NOSAVE');
  rmSync(join(redis.dataFolder, 'appendonlydir'), { recursive: true });
});

test('restoreRedis() serves the single log of an older redis too', async () => {
  await ask('SET', 'mood', 'calm');
  const { file } = await saveRedis({ ...redis, target: target() });

  await stopped(async () => {
    writeFileSync(join(redis.dataFolder, 'appendonly.aof'), '*1\r\n$8\r\nFLUSHALL\r\n');
    await restoreRedis({ ...redis, saved: target(), file, log });
  });
  const args = ['--dir', '/data', '--appendonly', 'yes', '--port', '7001', '--daemonize', 'yes'];
  await running.containers.exec('redis', ['redis-server', ...args], { deadlineMs: 20_000 });
  await waitFor('redis', async () => (await ask('-p', '7001', 'PING')) === 'PONG');

  expect(await ask('-p', '7001', 'GET', 'mood')).toBe('calm');
  await ask('-p', '7001', 'SHUTDOWN', 'NOSAVE');
  rmSync(join(redis.dataFolder, 'appendonlydir'), { recursive: true });
});

test('restoreRedis() refuses and changes nothing when redis runs', async () => {
  const { file } = await saveRedis({ ...redis, target: target() });
  const before = statSync(join(redis.dataFolder, file)).ino;

  const failure = await failureOf(() => restoreRedis({ ...redis, saved: target(), file, log }));

  expect(failure.message).toBe(`Cannot restore "redis" from "${target()}": it runs, and would write over it`);
  expect(statSync(join(redis.dataFolder, file)).ino).toBe(before);
});

test('restoreRedis() refuses and changes nothing when what was saved is damaged', async () => {
  const { file } = await saveRedis({ ...redis, target: target() });
  truncateSync(target(), 20);

  const failure = await failureOf(() => restoreRedis({ ...redis, saved: target(), file, log }));

  expect(failure.message).toBe(
    `Cannot trust the backup "${target()}": it does not have the checksum beside it`,
  );
  expect(isWhole(join(redis.dataFolder, file))).toBe(true);
  expect(isWhole(target())).toBe(false);
});

test('saveRedis() leaves nothing and names the reason when it cannot be done', async () => {
  await onSmallDisk(running.folder, 64, async ({ path }) => {
    await ask('SET', 'big', randomBytes(90_000).toString('base64'));
    const { outcome } = await failureOf(() => saveRedis({ ...redis, target: join(path, 'y.rdb') }));
    expect([outcome, readdirSync(path)]).toEqual(['noSpace', []]);
  });
  const args = ['--dir', '/tmp', '--port', '7002', '--daemonize', 'yes'];
  await running.containers.exec('redis', ['redis-server', ...args], { deadlineMs: 20_000 });
  await waitFor('redis', async () => (await ask('-p', '7002', 'PING')) === 'PONG');
  const containers: Containers = {
    exec: (service, [tool = '', ...words], options) =>
      running.quick.exec(service, [tool, '-p', '7002', ...words], options),
  };
  const elsewhere = await failureOf(() => saveRedis({ ...redis, containers, target: target() }));
  await ask('-p', '7002', 'SHUTDOWN', 'NOSAVE');
  await ask('CONFIG', 'SET', 'requirepass', 'secret');
  const closed = await failureOf(() => saveRedis({ ...redis, target: target() }));
  await ask('--pass', 'secret', 'CONFIG', 'SET', 'requirepass', '');
  rmSync(target(), { force: true });

  expect(elsewhere.message).toBe('Cannot save "redis": it keeps its data in "/tmp", not below "/data"');
  expect(closed.message).toBe('Cannot save "redis": NOAUTH Authentication required.');
});

test('saveRedis() waits when redis was only just started, and not for ever', async () => {
  let refusals = 2;
  const containers: Containers = {
    exec: (service, [tool = '', ...words], options) =>
      running.quick.exec(service, [tool, '-p', refusals-- > 0 ? '1' : '6379', ...words], options),
  };
  const { file } = await saveRedis({ ...redis, containers, target: target() });
  refusals = 1_000;
  const failure = await failureOf(() =>
    saveRedis({ ...redis, containers, target: target(), deadlineMs: 2_000 }),
  );

  expect(file).toBe('dump.rdb');
  expect(failure.message).toStartWith('Cannot save "redis": ');
});

test('isWhole() is true only when a file has the beginning and the end of one', () => {
  const path = running.folder.write(
    'x',
    Buffer.concat([Buffer.from('REDIS0011 content'), Buffer.alloc(9, 0xff)]),
  );
  expect(isWhole(path)).toBe(true);
  writeFileSync(path, readFileSync(path).subarray(0, -3));
  expect(isWhole(path)).toBe(false);
  writeFileSync(path, '');
  expect(isWhole(path)).toBe(false);
});

function target(): string {
  return join(running.backups, 'x.rdb');
}

async function ask(...words: string[]): Promise<string> {
  const answer = await running.quick.exec('redis', ['redis-cli', ...words], { deadlineMs: 20_000 });
  return answer.stdout.trim();
}

/** Not asked to save: what it would write at its end is what was there before, or nothing. */
async function stopped(work: () => Promise<void>): Promise<void> {
  await running.stack.compose(['stop', 'redis']);
  await work();
  await running.stack.compose(['start', 'redis']);
  await waitFor('redis', async () => (await ask('PING')) === 'PONG');
}
