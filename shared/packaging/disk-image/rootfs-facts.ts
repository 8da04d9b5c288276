import { createHash } from 'node:crypto';
import { closeSync, createReadStream, openSync, statSync } from 'node:fs';
import { parseKeyFile, valueIn } from '../../rauc/key-file.ts';
import { command } from '../../system/command.ts';
import { Failure, reasonOf } from '../../system/failure.ts';
import { releasePath } from '../../update/release.ts';
import type { Board } from '../board.ts';

export interface RootfsFacts {
  version: string;
  sha256: string;
  bytes: number;
}

/** Reads version and compatible out of the image itself. Throws a usage Failure where it is none for this board. */
export async function readRootfs(image: string, board: Board): Promise<RootfsFacts> {
  requireFile(image);
  const version = /^VERSION=(\S+)$/m.exec(await fileIn(image, `/${releasePath}`))?.[1];
  const conf = parseKeyFile(await fileIn(image, '/etc/rauc/system.conf'));
  const compatible = valueIn(conf, 'system', 'compatible');
  const cannot = `Cannot make an image with "${image}"`;
  if (version === undefined || compatible === undefined) {
    throw new Failure(`${cannot}: it is no root file system of ours`, {
      outcome: 'usage',
      advice: 'Use "bun build.ts rootfs" for one',
    });
  }
  if (compatible !== board.compatible) {
    const reason = `it is for "${compatible}", the board "${board.name}" is "${board.compatible}"`;
    throw new Failure(`${cannot}: ${reason}`, { outcome: 'usage' });
  }
  return { version, sha256: await digestOf(image), bytes: statSync(image).size };
}

function requireFile(path: string): void {
  try {
    closeSync(openSync(path, 'r'));
  } catch (error) {
    throw new Failure(`Cannot read the root file system "${path}": ${reasonOf(error)}`, {
      outcome: 'usage',
      advice: 'Use "bun build.ts rootfs" first, or give --rootfs',
    });
  }
}

/** Empty where there is no such file: debugfs says so on stderr, and ends well. */
async function fileIn(image: string, path: string): Promise<string> {
  const run = command({ deadlineMs: 60_000 });
  return (await run`debugfs -R ${`cat ${path}`} ${image}`).stdout;
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, { highWaterMark: 4 * 1024 * 1024 })) hash.update(piece);
  return hash.digest('hex');
}
