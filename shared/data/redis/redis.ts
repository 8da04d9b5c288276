import { chmodSync, closeSync, copyFileSync, openSync, readSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import { Deadline, pause } from '../../system/deadline.ts';
import { Failure, reasonOf } from '../../system/failure.ts';
import { CommandFailure } from '../../system/process/command.ts';
import { cannotWriteArchive } from '../archive/archive-failure.ts';
import type { Containers } from '../database/database.ts';
import { beginPart, commitPart, discardPart, type SavedFile } from '../database/dump-file.ts';

export interface Redis {
  containers: Containers;
  /** The service of the compose file. */
  service: string;
  /** The folder on the host that the container mounts as /data. */
  dataFolder: string;
  signal?: AbortSignal | undefined;
}

export interface RedisReport extends SavedFile {
  /** The file below `dataFolder` that redis itself reads; restoreRedis() needs it. */
  file: string;
  /** Whether redis reads its log of writes rather than that file; a restore serves both. */
  appendOnly: boolean;
}

const containerFolder = '/data';
const usualDeadlineMs = 120_000;
const pauseMs = 200;

/** Makes redis save all its data, and copies the file: whole and with its checksum, or not at all. */
export async function saveRedis(
  request: Redis & { target: string; deadlineMs?: number },
): Promise<RedisReport> {
  const { target, dataFolder, signal, service, deadlineMs = usualDeadlineMs } = request;
  const deadline = new Deadline(deadlineMs);
  try {
    const config = await readConfig(request, deadline);
    const file = fileOf(config, service);
    await save(request, deadline);
    const saved = await copySaved(join(dataFolder, file), target, service, signal);
    return { ...saved, file, appendOnly: config['appendonly'] === 'yes' };
  } catch (error) {
    if (!(error instanceof CommandFailure) && !signal?.aborted) throw error;
    throw cannotSave(service, signal?.aborted ? 'the program was stopped' : reasonOf(error), error);
  }
}

/** Asks a running redis for the file below `dataFolder` that it reads. */
export async function findRedisFile(redis: Redis, deadlineMs: number): Promise<string> {
  return fileOf(await readConfig(redis, new Deadline(deadlineMs)), redis.service);
}

/**
 * Not BGSAVE, which needs as much memory again; no client waits for redis now. Redis may already be saving: then it
 * is retried.
 */
async function save(redis: Redis, deadline: Deadline): Promise<void> {
  for (;;) {
    const answer = await askRedis(redis, ['SAVE'], deadline);
    if (answer === 'OK') return;
    if (!/in progress/i.test(answer) || deadline.isOver) throw cannotSave(redis.service, answer);
    await pause(pauseMs, redis.signal);
  }
}

async function readConfig(redis: Redis, deadline: Deadline): Promise<Record<string, string>> {
  const config: Record<string, string> = {};
  for (const key of ['dir', 'dbfilename', 'appendonly']) {
    const [name, value] = (await askRedis(redis, ['CONFIG', 'GET', key], deadline)).split('\n');
    if (name !== key || value === undefined)
      throw cannotSave(redis.service, name || 'it does not tell its settings');
    config[key] = value;
  }
  return config;
}

function fileOf(config: Record<string, string>, service: string): string {
  const file = posix.relative(containerFolder, posix.join(config['dir'] ?? '', config['dbfilename'] ?? ''));
  if (!file.startsWith('..')) return file;
  throw cannotSave(service, `it keeps its data in "${config['dir']}", not below "${containerFolder}"`);
}

/**
 * redis-cli prints an error like any other answer; it reads a password from the container's REDISCLI_AUTH. A redis
 * that has just been started does not answer yet, or is still loading.
 */
async function askRedis(redis: Redis, words: string[], deadline: Deadline): Promise<string> {
  const { containers, service, signal } = redis;
  for (;;) {
    try {
      const limits = { deadlineMs: Math.max(1, deadline.leftMs), signal };
      const answer = (await containers.exec(service, ['redis-cli', ...words], limits)).stdout.trim();
      if (!answer.startsWith('LOADING ') || deadline.isOver) return answer;
    } catch (error) {
      const isNotYetThere = error instanceof CommandFailure && /could not connect/i.test(error.stderr);
      if (!isNotYetThere || deadline.isOver) throw error;
    }
    await pause(pauseMs, signal);
  }
}

async function copySaved(
  from: string,
  target: string,
  service: string,
  signal?: AbortSignal,
): Promise<SavedFile> {
  try {
    const part = beginPart(target);
    copyFileSync(from, part);
    // The copy takes over the mode of redis's own file, which others may read.
    chmodSync(part, 0o600);
    if (!isWhole(part)) throw cannotSave(service, `"${from}" is not a whole file of redis`);
    return await commitPart(target, signal);
  } catch (error) {
    const bytes = statSync(from, { throwIfNoEntry: false })?.size ?? 0;
    discardPart(target);
    throw cannotWriteArchive(target, bytes, error);
  }
}

const checksumBytes = 8;
const endOfFile = 0xff;

/** An RDB file begins with `REDIS`, and ends with a mark and a checksum: https://rdb.fnordig.de/file_format.html */
export function isWhole(path: string): boolean {
  const descriptor = openSync(path, 'r');
  try {
    const { size } = statSync(path);
    const head = Buffer.alloc(5);
    const mark = Buffer.alloc(1);
    readSync(descriptor, head, 0, head.length, 0);
    if (size > checksumBytes) readSync(descriptor, mark, 0, 1, size - checksumBytes - 1);
    return head.toString('latin1') === 'REDIS' && mark[0] === endOfFile;
  } finally {
    closeSync(descriptor);
  }
}

function cannotSave(service: string, reason: string, cause?: unknown): Failure {
  const advice = `See what "${service}" says in its log`;
  return new Failure(`Cannot save "${service}": ${reason}`, { advice, cause });
}
