import { closeSync, openSync, statSync } from 'node:fs';
import { parseKeyFile, valueIn } from '../../rauc/key-file.ts';
import { Failure, reasonOf } from '../../system/failure.ts';
import { releasePath } from '../../update/slot/release.ts';
import type { Board } from '../board/board.ts';
import { readFileIn } from '../format/ext4-file.ts';
import { sha256Of } from '../format/file-digest.ts';

export interface RootfsFacts {
  version: string;
  sha256: string;
  bytes: number;
}

/** Reads version and compatible from the image itself. Throws a usage Failure if it is no root file system for this board. */
export async function readRootfs(image: string, board: Board): Promise<RootfsFacts> {
  requireFile(image);
  const version = /^VERSION=(\S+)$/m.exec(await readFileIn(image, `/${releasePath}`))?.[1];
  const conf = parseKeyFile(await readFileIn(image, '/etc/rauc/system.conf'));
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
  return { version, sha256: await sha256Of(image), bytes: statSync(image).size };
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
