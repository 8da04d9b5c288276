import { keepFromProxy } from './no-proxy.ts';
import { requirePrivacy } from './plain-http.ts';

/** All requests to the network go through this file; no other file imports ky. No secret is sent unencrypted. */

export interface HttpAnswer {
  status: number;
  /** At most the first `maxBytes` of the body. */
  body: string;
}

/** One GET, no retry. Throws the network's error, or a timeout. */
export async function getOnce(
  url: string,
  { timeoutMs, maxBytes, signal }: { timeoutMs: number; maxBytes: number; signal?: AbortSignal | undefined },
): Promise<HttpAnswer> {
  requirePrivacy(url);
  keepFromProxy(url);
  const { default: ky } = await import('ky');
  const answer = await ky.get(url, {
    // ky's own timeout would end with the headers; the one below is for the body too.
    timeout: false,
    retry: 0,
    throwHttpErrors: false,
    redirect: 'manual',
    signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal === undefined ? [] : [signal])]),
  });
  return { status: answer.status, body: await firstBytes(answer, maxBytes) };
}

/** One POST of JSON, no retry; returns the status. Throws the network's error, or a timeout. */
export async function postJson(url: string, json: string, timeoutMs: number): Promise<number> {
  requirePrivacy(url);
  keepFromProxy(url);
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

export interface Exchange {
  method: 'GET' | 'POST' | 'PUT';
  headers: Record<string, string>;
  tls?: TlsFiles | undefined;
  body?: string | FormData | undefined;
  timeoutMs: number;
  maxBytes: number;
  signal?: AbortSignal | undefined;
}

/** One request and its whole answer, no retry, redirects not followed. Throws the network's error, or a timeout. */
export async function exchange(url: string, options: Exchange): Promise<HttpAnswer & { headers: Headers }> {
  const { method, headers, tls, body, timeoutMs, maxBytes, signal } = options;
  requirePrivacy(url, headers);
  keepFromProxy(url);
  const { default: ky } = await import('ky');
  const ofBun = tls === undefined ? {} : { tls };
  const answer = await ky(url, {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
    timeout: false,
    retry: 0,
    throwHttpErrors: false,
    redirect: 'manual',
    signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal === undefined ? [] : [signal])]),
    ...ofBun,
  });
  return { status: answer.status, headers: answer.headers, body: await firstBytes(answer, maxBytes) };
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

/** The TLS files of a connection; texts in PEM. */
export interface TlsFiles {
  /** Replaces the roots that come with the program. */
  ca?: string;
  cert?: string;
  key?: string;
}

export interface OpenOptions {
  headers: Record<string, string>;
  tls?: TlsFiles | undefined;
  signal: AbortSignal;
}

/** An answer whose body is still to be read, piece by piece. */
export interface OpenAnswer {
  status: number;
  headers: Headers;
  /** The next bytes; undefined at the end. Throws if the connection breaks before the end. */
  read(): Promise<Uint8Array | undefined>;
  /** Closes the connection if the body is not at its end. */
  close(): Promise<void>;
}

/** One GET whose body is read as it arrives: not decompressed, redirects not followed, no retry. */
export async function open(url: string, { headers, tls, signal }: OpenOptions): Promise<OpenAnswer> {
  requirePrivacy(url, headers);
  keepFromProxy(url);
  const { default: ky } = await import('ky');
  // `decompress` and `tls` are bun's; ky passes options that it does not know to fetch.
  const ofBun = { decompress: false, ...(tls === undefined ? {} : { tls }) };
  const answer = await ky.get(url, {
    timeout: false,
    retry: 0,
    throwHttpErrors: false,
    redirect: 'manual',
    headers: { ...headers, 'Accept-Encoding': 'identity' },
    signal,
    ...ofBun,
  });
  const reader = answer.body?.getReader();
  return {
    status: answer.status,
    headers: answer.headers,
    read: async () => (await reader?.read())?.value,
    close: async () => await reader?.cancel().catch(() => {}),
  };
}
