import { print } from '../../../shared/system/terminal/print.ts';

/** Serves FILE on ADDRESS at any path, with Range as Bun.serve and sendfile have it, and says the port. */
const [path = '', hostname = '127.0.0.1'] = process.argv.slice(2);
const file = Bun.file(path);
const named = { ETag: '"bench"', 'Content-Type': 'application/octet-stream', 'Accept-Ranges': 'bytes' };

const server = Bun.serve({
  port: 0,
  hostname,
  idleTimeout: 120,
  fetch(request) {
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get('range') ?? '');
    if (range === null) return new Response(file, { headers: named });
    const [from, to] = [Number(range[1]), Math.min(Number(range[2]) + 1, file.size)];
    const headers = { ...named, 'Content-Range': `bytes ${from}-${to - 1}/${file.size}` };
    return new Response(file.slice(from, to), { status: 206, headers });
  },
});
print(1, `${server.port}\n`);
