import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/**
 * Collects the stream's output as text, complete only when the stream has ended. zx decodes each chunk by itself,
 * which breaks a letter that spans two chunks.
 */
export function collectText(stream: Readable): () => string {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString();
}

/** Calls `onLine` for each line as it arrives, without its line end; a last line without one is passed when the stream ends. */
export function forEachLine(stream: Readable, onLine: (line: string) => void): void {
  const decoder = new StringDecoder();
  let rest = '';
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
  stream.on('end', () => {
    const last = rest + decoder.end();
    if (last !== '') onLine(last);
  });
}
