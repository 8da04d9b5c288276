import { Connection, type ConnectionOptions } from './connection.ts';

/**
 * One GET for a small text; undefined if the server has none, or sends more than `mostBytes`. Throws the network's
 * error, or Stalled.
 */
export async function readSmallFile(
  options: ConnectionOptions,
  mostBytes: number,
): Promise<string | undefined> {
  const answer = await new Connection(options).ask({});
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    if (answer.status !== 200) return undefined;
    for (let chunk = await answer.read(); chunk !== undefined; chunk = await answer.read()) {
      bytes += chunk.length;
      if (bytes > mostBytes) return undefined;
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString();
  } finally {
    await answer.close();
  }
}
