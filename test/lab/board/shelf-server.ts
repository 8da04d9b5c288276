import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { command } from '../../../shared/system/process/command.ts';
import type { LabImages } from '../images/images.ts';
import type { Board } from './board.ts';

/** Its address on the board, with any port on this machine. */
export const shelfOrigin = 'http://10.0.2.100';

/** One bundle of the shelf on a web server, which the board reaches by its cable. */
export async function serveBundle(
  board: Board,
  images: LabImages,
  version: string,
): Promise<AsyncDisposable> {
  const folder = mkdtempSync(join(tmpdir(), 'homie-lab-shelf-'));
  const name = `${version}.raucb`;
  const file = await takeFromShelf(images, version, folder);
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: board.webPort,
    fetch: (request) => answer(request, file, name),
  });
  return {
    async [Symbol.asyncDispose]() {
      await server.stop(true);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The bundle as a file of that folder; answers with its path. */
export async function takeFromShelf(images: LabImages, version: string, folder: string): Promise<string> {
  const name = `${version}.raucb`;
  const file = join(folder, name);
  await command({ deadlineMs: 120_000 })`debugfs -R ${`dump /${name} ${file}`} ${images.bundles}`;
  return file;
}

function answer(request: Request, file: string, name: string): Response {
  if (new URL(request.url).pathname !== `/${name}`) return new Response('no such bundle', { status: 404 });
  const bundle = Bun.file(file);
  const headers = { ETag: `"${name}"`, 'Accept-Ranges': 'bytes' };
  if (request.headers.get('if-none-match') === headers.ETag)
    return new Response(null, { status: 304, headers });
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get('range') ?? '') ?? [];
  if (first === undefined) return new Response(bundle, { headers });
  const from = Number(first);
  const to = last === '' ? bundle.size - 1 : Math.min(Number(last), bundle.size - 1);
  return new Response(bundle.slice(from, to + 1), {
    status: 206,
    headers: { ...headers, 'Content-Range': `bytes ${from}-${to}/${bundle.size}` },
  });
}
