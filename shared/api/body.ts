import { HttpRefusal } from './problem.ts';

/** Reads the body of a request, with a limit on its size and on the time it takes. */

const mostBytes = 16 * 1024;
const deadlineMs = 5_000;

/** The body as JSON; undefined where there is none. Throws a Refusal for any other body. */
export async function readJson(request: Request): Promise<unknown> {
  const text = await readText(request);
  if (text === '') return undefined;
  const type = request.headers.get('content-type') ?? '';
  if (!/^application\/json\s*(?:;|$)/i.test(type))
    throw new HttpRefusal(415, 'The body has to be application/json', { 'Accept-Post': 'application/json' });
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpRefusal(400, 'The body is not JSON');
  }
}

async function readText(request: Request): Promise<string> {
  if (Number(request.headers.get('content-length') ?? 0) > mostBytes) throw tooLarge();
  const reader = request.body?.getReader();
  if (reader === undefined) return '';
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new HttpRefusal(408, 'The body was not received in time')),
    deadlineMs,
  );
  try {
    return await Promise.race([readAll(reader), late.promise]);
  } catch (error) {
    throw error instanceof HttpRefusal ? error : new HttpRefusal(400, 'The body was not received completely');
  } finally {
    clearTimeout(timer);
    // The rest of the body may take long to arrive, and is not needed.
    reader.cancel().catch(() => {});
  }
}

interface Reader {
  read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
}

async function readAll(reader: Reader): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (value !== undefined) {
      bytes += value.length;
      if (bytes > mostBytes) throw tooLarge();
      pieces.push(value);
    }
    if (done) return decode(Buffer.concat(pieces));
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new HttpRefusal(400, 'The body is not UTF-8');
  }
}

function tooLarge(): HttpRefusal {
  return new HttpRefusal(413, `The body may have ${mostBytes} bytes at most`);
}
