import type { Socket } from 'node:net';
import { type Asked, type Behaviour, head, reply } from './hostile-server.ts';

/** A file as an honest server has it. */
export interface ServedFile {
  bytes: Buffer;
  etag: string | undefined;
  lastModified?: string | undefined;
}

export interface Part {
  from: number;
  bytes: Buffer;
  /** What an honest answer says before the body. */
  head: string;
}

/** Random, so that nothing in the wrong place looks right. */
export function someBytes(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let from = 0; from < length; from += 65_536)
    crypto.getRandomValues(bytes.subarray(from, from + 65_536));
  return bytes;
}

/** What RFC 9110 wants of a server: Range, If-Range, If-None-Match, 416. `send` may do otherwise with the body. */
export function honest(
  fileOf: () => ServedFile,
  send: (line: Socket, part: Part, asked: Asked) => void = (line, part) => {
    line.write(part.head);
    line.write(part.bytes);
  },
): Behaviour {
  return (asked, line) => {
    const file = fileOf();
    const { bytes, etag, lastModified } = file;
    const named = {
      'Content-Type': 'application/octet-stream',
      'Accept-Ranges': 'bytes',
      ...(etag === undefined ? {} : { ETag: etag }),
      ...(lastModified === undefined ? {} : { 'Last-Modified': lastModified }),
    };
    if (isUnchanged(asked, file)) return reply(line, 304, named);
    const ifRange = asked.headers['if-range'];
    const mayRange = ifRange === undefined || ifRange === etag || ifRange === lastModified;
    if (asked.range === undefined || !mayRange)
      return send(
        line,
        { from: 0, bytes, head: head(200, { ...named, 'Content-Length': bytes.length }) },
        asked,
      );
    const { from } = asked.range;
    if (from >= bytes.length) return reply(line, 416, { 'Content-Range': `bytes */${bytes.length}` });
    const piece = rangeHead(asked.range, bytes.length, named);
    send(line, { from, bytes: bytes.subarray(from, from + piece.length), head: piece.head }, asked);
  };
}

/** What an honest answer says before a piece, and how long that is. */
export function rangeHead(
  { from, to }: { from: number; to: number },
  size: number,
  headers: Record<string, string | number>,
): { head: string; length: number } {
  const end = Math.min(to + 1, size);
  const said = {
    ...headers,
    'Content-Range': `bytes ${from}-${end - 1}/${size}`,
    'Content-Length': end - from,
  };
  return { head: head(206, said), length: end - from };
}

function isUnchanged({ headers }: Asked, { etag, lastModified }: ServedFile): boolean {
  const [tag, since] = [headers['if-none-match'], headers['if-modified-since']];
  return tag === undefined ? since !== undefined && since === lastModified : tag === etag;
}
