import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { readRefusals } from '../../../shared/update/admission/refusal-log.ts';
import { statusJson } from '../../support/scene/rauc-status.ts';
import { type Ended, Scene } from '../../support/scene/scene.ts';
import { honest } from '../../support/servers/file-server.ts';
import { type Behaviour, HostileServer, reply } from '../../support/servers/hostile-server.ts';

/** A file that is no bundle has one answer, from wherever it comes: 1, and no word of a signature. The RAUC is the real one. */

let scene: Scene;
let server: HostileServer;
let behave: Behaviour;
beforeEach(async () => {
  scene = new Scene();
  server = await HostileServer.start((asked, line) => behave(asked, line));
  scene.configure({ reserve_mib: 0, fetch_tries: 2, url: server.url });
  const config = scene.write(
    'rauc.conf',
    '[system]\ncompatible=jetson-nano-homie\nbootloader=noop\n[keyring]\npath=/etc/ssl/cert.pem\n',
  );
  scene.write('rauc-status.json', statusJson({ booted: 'rootfs.0' }));
  scene.fake(
    'rauc',
    `case "$1" in info) exec ${Bun.which('rauc')} --conf=${config} "$@" ;; *) cat rauc-status.json ;; esac`,
  );
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  scene[Symbol.dispose]();
});

const contents: [what: string, bytes: Buffer][] = [
  ['an empty file', Buffer.alloc(0)],
  ['100 random bytes', Buffer.from(crypto.getRandomValues(new Uint8Array(100)))],
  ['a web page', Buffer.from('<html>404 Not Found</html>'.repeat(100))],
  ['8 KiB of zeros', Buffer.alloc(8192)],
];

function expectNoBundle(ended: Ended): void {
  expect(ended.reason).toStartWith('Cannot ');
  expect(ended.reason).not.toContain('trusts');
  expect(ended.exitCode).toBe(1);
  expect(readRefusals(scene.places)).toEqual([]);
  const left = scene.at('data/update/download');
  expect(existsSync(left) ? readdirSync(left) : []).toEqual([]);
}

describe.each(contents)('%s', (_what, bytes) => {
  test.each([[[]], [['--dry-run']]])('as a file, with options %p', async (options) => {
    const file = scene.write('update.raucb', bytes);
    expectNoBundle(await scene.run(['update.sh', 'install', file, ...options]));
    expect(readFileSync(file).equals(bytes)).toBe(true);
  });

  test('from stdin', async () => {
    expectNoBundle(
      await scene.run(['update.sh', 'install', '-'], { stdin: new Blob([Uint8Array.from(bytes)]) }),
    );
  });
});

// A page in place of the file is the server's fault, which may pass: 21.
describe.each(contents.filter(([what]) => what !== 'a web page'))('%s', (_what, bytes) => {
  beforeEach(() => {
    behave = honest(() => ({ bytes, etag: '"one"' }));
  });

  test('from a server', async () => {
    expectNoBundle(await scene.run(['update.sh', 'install']));
  });

  test('from a server that knows no ranges', async () => {
    behave = (_asked, line) => {
      reply(
        line,
        200,
        { 'Content-Type': 'application/octet-stream', ETag: '"one"' },
        bytes.toString('latin1'),
      );
    };
    expectNoBundle(await scene.run(['update.sh', 'install']));
  });
});

test.each([
  ['check', ['check']],
  ['install --dry-run', ['install', '--dry-run']],
])('an empty file on a server has the same answer when update.sh %s asks for it', async (_what, args) => {
  behave = honest(() => ({ bytes: Buffer.alloc(0), etag: '"one"' }));
  expectNoBundle(await scene.run(['update.sh', ...args]));
  behave = (_asked, line) => {
    reply(line, 200, { 'Content-Type': 'application/octet-stream', 'Content-Length': 0, ETag: '"one"' });
  };
  expectNoBundle(await scene.run(['update.sh', ...args]));
});

test('what is no file at all is a usage error: 2', async () => {
  Bun.spawnSync(['mkfifo', scene.at('pipe')]);
  mkdirSync(scene.at('folder'));
  for (const name of ['pipe', 'folder', 'missing'])
    for (const options of [[], ['--dry-run']])
      expect((await scene.run(['update.sh', 'install', scene.at(name), ...options])).exitCode).toBe(2);
});
