import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

const pieceBytes = 4 * 1024 * 1024;

/** SHA-256 in hex, of a file of any size. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, { highWaterMark: pieceBytes })) hash.update(piece);
  return hash.digest('hex');
}
