import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Folders like those that a board has: what is measured on them is made anew each time, and not all of it compresses. */

const filesInFolder = 100;

/** 50 B to 5 KiB each, a hundred in a folder, half of it text-like, as configuration is. */
export function fillWithSmallFiles(tree: string, files: number): void {
  const text = Buffer.from('brightness: 70\nroom: kitchen\nlast_seen: 2026-01-01T00:00:00Z\n'.repeat(80));
  for (let folder = 0; folder < files / filesInFolder; folder += 1) {
    const path = join(tree, `device-${folder}`);
    mkdirSync(path, { recursive: true });
    for (let file = 0; file < filesInFolder; file += 1) {
      const random = crypto.getRandomValues(Buffer.alloc(50 + ((folder * 31 + file * 17) % 1000)));
      writeFileSync(
        join(path, `${file}.yaml`),
        Buffer.concat([random, text.subarray(0, (file * 37) % 4096)]),
      );
    }
  }
}

/** Of so many MB each. A quarter cannot be compressed, as recordings cannot; the rest can, as a database. */
export function fillWithLargeFiles(tree: string, files: number, megabytesEach: number): void {
  mkdirSync(tree, { recursive: true });
  const block = Buffer.alloc(1_000_000);
  for (let file = 0; file < files; file += 1) {
    const path = join(tree, `history-${file}.db`);
    writeFileSync(path, '');
    for (let count = 0; count < megabytesEach; count += 1) {
      block.fill(`row ${file}.${count} sensor=${count % 97} value=${count * 1.7} `);
      for (let from = 0; from < 250_000; from += 65_536)
        crypto.getRandomValues(block.subarray(from, Math.min(250_000, from + 65_536)));
      writeFileSync(path, block, { flag: 'a' });
    }
  }
}
