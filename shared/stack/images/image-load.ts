import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Failure, reasonOf } from '../../system/failure.ts';
import { command } from '../../system/process/command.ts';
import type { SpaceNeeds } from './image-space.ts';

/** Finds the files of `docker save`, plain or compressed, in the order of their names. */
export function findImageFiles(folder: string | undefined): string[] {
  if (folder === undefined || !existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /\.tar(?:\.gz|\.zst)?$/.test(name) && !name.startsWith('.'))
    .sort()
    .map((name) => join(folder, name));
}

export function needsOf(files: readonly string[]): Pick<SpaceNeeds, 'tarBytes' | 'compressedTarBytes'> {
  const sum = (some: readonly string[]): number =>
    some.reduce((bytes, path) => bytes + statSync(path).size, 0);
  return {
    tarBytes: sum(files.filter((path) => path.endsWith('.tar'))),
    compressedTarBytes: sum(files.filter((path) => !path.endsWith('.tar'))),
  };
}

/** Throws a Failure with the file and docker's reason. */
export async function loadImages(file: string, deadlineMs: number, signal: AbortSignal): Promise<void> {
  const run = command({ deadlineMs: Math.max(1, deadlineMs), signal });
  try {
    // Docker itself reads zstd only from version 23 on. If zstd cannot read the file to its end, docker fails too.
    if (file.endsWith('.zst') && (await hasZstd(signal)))
      await run`zstd --decompress --stdout --quiet ${file} | docker load --quiet`;
    else await run`docker load --quiet --input=${file}`;
  } catch (error) {
    signal.throwIfAborted();
    const reason = reasonOf(error);
    const isFull = /no space left/i.test(reason);
    throw new Failure(
      `Cannot load the images of "${basename(file)}": ${isFull ? 'there is no space left' : reason}`,
      {
        cause: error,
        ...(isFull ? { outcome: 'noSpace' } : {}),
      },
    );
  }
}

async function hasZstd(signal: AbortSignal): Promise<boolean> {
  const { exitCode } = await command({ deadlineMs: 10_000, accept: 'any', signal })`zstd --version`;
  return exitCode === 0;
}
