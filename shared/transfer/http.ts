/** The only door to the network; nothing else imports ky. */

export interface HttpAnswer {
  status: number;
  /** At most the bytes that were asked for. */
  body: string;
}

/** One GET, no retry. Throws what the network says, or a timeout. */
export async function getOnce(
  url: string,
  { timeoutMs, maxBytes, signal }: { timeoutMs: number; maxBytes: number; signal?: AbortSignal | undefined },
): Promise<HttpAnswer> {
  const { default: ky } = await import('ky');
  const answer = await ky.get(url, {
    // ky's own would end with the headers; this one is for the body too.
    timeout: false,
    retry: 0,
    throwHttpErrors: false,
    redirect: 'manual',
    signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal === undefined ? [] : [signal])]),
  });
  return { status: answer.status, body: await firstBytes(answer, maxBytes) };
}

/** One POST of JSON, no retry; answers with the status. Throws what the network says, or a timeout. */
export async function postJson(url: string, json: string, timeoutMs: number): Promise<number> {
  const { default: ky } = await import('ky');
  const answer = await ky.post(url, {
    body: json,
    headers: { 'Content-Type': 'application/json' },
    timeout: false,
    retry: 0,
    throwHttpErrors: false,
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  });
  await answer.body?.cancel();
  return answer.status;
}

async function firstBytes(answer: Response, maxBytes: number): Promise<string> {
  const reader = answer.body?.getReader();
  if (reader === undefined) return '';
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  while (bytes < maxBytes) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    bytes += value.length;
  }
  await reader.cancel();
  return Buffer.concat(chunks).toString('utf8', 0, Math.min(bytes, maxBytes));
}
