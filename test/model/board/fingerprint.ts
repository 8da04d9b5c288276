import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a power cut leaves of a board, as one word: equal ones have the same future. */

/** Logs and tools; the programs, which are always the same; what a reboot forgets or makes anew. */
const isForgotten =
  /^(bin|calls|steps|programs|run|installing|scheduled|unit-active|rauc-install\.sh|stack\/(running|seen|upgraded-by|head))(\/|$)/;
/** Archives hold times, logs too, and programs are large: that they are there counts. */
const isOpaque = /\.tar\.zst|^data\/logs\/|update-hooks\/|scripts\/update\.sh$/;

export function fingerprintOf(folder: string): string {
  const hash = createHash('sha256');
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    if (isForgotten.test(path)) continue;
    hash.update(`${withoutChance(path)}\0`);
    const file = join(folder, path);
    if (lstatSync(file).isFile() && !isOpaque.test(path))
      hash.update(withoutChance(readFileSync(file, 'latin1')));
  }
  return hash.digest('hex');
}

/** Times, identifiers and checksums of files that hold them differ from run to run, and nothing is decided by them. */
function withoutChance(text: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\dT[\d:.-]+Z/g, 'TIME')
    .replace(/\d{8}T\d{6}Z/g, 'TIME')
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID')
    .replace(/[0-9a-f]{64}/g, 'SHA256')
    .replace(/\.\d+\.part/g, '.PID.part')
    .replace(/homie-test-\w+/g, 'FOLDER')
    .replace(/127\.0\.0\.1:\d+/g, 'PORT');
}
