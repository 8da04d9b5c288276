import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { closeSync, existsSync, ftruncateSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { formatBytes } from '../../../shared/system/files/disk.ts';
import { print } from '../../../shared/system/terminal/print.ts';
import { compiledPrograms } from '../../support/build/compiled-programs.ts';
import { removeReport, writeReport } from '../../support/report/report.ts';
import { Scene } from '../../support/scene/scene.ts';
import { honest, someBytes } from '../../support/servers/file-server.ts';
import { type Behaviour, HostileServer, head, reply } from '../../support/servers/hostile-server.ts';
import { makeTlsFiles } from '../../support/servers/tls-files.ts';
import { byTier } from '../../support/tier.ts';
import { BadLine } from './bad-line.ts';

/**
 * The compiled program, a big bundle, a line that breaks again and again and a client that is killed: it arrives whole, in
 * little memory, and little is sent twice. 1 GiB, 200 breaks and 10 kills from `npm run test:all` on. All figures are the server's: what it handed to the kernel.
 */

const mebibyte = 1024 * 1024;
const { size, drops, kills } = byTier({
  quick: { size: 128 * mebibyte, drops: 25, kills: 4 },
  all: { size: 1024 * mebibyte, drops: 200, kills: 10 },
  deep: { size: 1024 * mebibyte, drops: 200, kills: 10 },
});

describe('the compiled update.sh', () => {
  let scene: Scene;
  let programs: string;
  beforeAll(async () => {
    removeReport('fetch');
    scene = new Scene();
    programs = await compiledPrograms({ architecture: 'x64' });
    makeSparse(scene.at('source'));
    scene.write('root/etc/rauc/system.conf', '[system]\ncompatible=jetson-nano-homie\n');
    scene.write('rauc-info.json', '{"compatible":"jetson-nano-homie","version":"1.1.0"}');
  }, 120_000);
  afterAll(() => scene[Symbol.dispose]());

  /** As systemd starts it; what it says goes to the file. */
  function start(stderr: string, under: readonly string[] = []): Bun.Subprocess {
    rmSync(stderr, { force: true });
    return Bun.spawn([...under, join(programs, 'update.sh')], {
      cwd: '/',
      env: {
        PATH: `${scene.at('bin')}:/usr/sbin:/usr/bin:/sbin:/bin`,
        HOMIE_DATA: scene.places.data,
        HOMIE_ROOT: scene.places.root,
        HOMIE_RUN: scene.places.run,
      },
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: Bun.file(stderr),
    });
  }

  const file = { bytes: someBytes(300_000), etag: '"small"' };
  const right = honest(() => file);
  const endless: Behaviour = (_asked, line) => {
    line.write(head(200, {}));
    const go = (): void => {
      while (!line.destroyed && line.write(file.bytes));
      if (!line.destroyed) line.once('drain', go);
    };
    go();
  };
  const drip: Behaviour = (_asked, line) => {
    line.write(head(200, { 'Content-Length': 5000 }));
    const timer = setInterval(() => line.write('x'), 20);
    line.on('close', () => clearInterval(timer));
  };

  const lies: [what: string, Behaviour, exitCode: number, reason: string][] = [
    [
      'a web page',
      (_asked, line) => reply(line, 200, { 'Content-Type': 'text/html' }, '<html>'),
      21,
      'it answered with a web page',
    ],
    ['an endless body', endless, 11, 'it has more than 2.0 MiB, at most 2.0 MiB are allowed'],
    ['nothing', () => {}, 21, 'less than 1 KiB/s came for 1 s (tried 2 times in a row)'],
    ['a byte now and then', drip, 21, 'less than 1 KiB/s came for 1 s (tried 2 times in a row)'],
    [
      '429',
      (_asked, line) => reply(line, 429, { 'Retry-After': 600 }),
      21,
      'it answered 429, and asks to try again in 10 minutes',
    ],
    [
      'a piece that was not requested',
      (_asked, line) => reply(line, 206, { 'Content-Range': 'bytes 7-7/9', ETag: '"x"' }, 'x'),
      21,
      'it answered with a piece (206) where all was asked for',
    ],
    [
      '416 to everything',
      (_asked, line) => reply(line, 416),
      21,
      'it answered 416 although no piece was asked for',
    ],
    [
      'a line that breaks',
      (_asked, line) => void line.destroy(),
      21,
      'the connection broke (tried 2 times in a row)',
    ],
  ];
  test.each(lies)('refuses %s, and says why', async (_what, behave, exitCode, reason) => {
    await using server = await HostileServer.start(behave);
    scene.configure({
      reserve_mib: 0,
      url: server.url,
      fetch_tries: 2,
      stall_seconds: 1,
      largest_bundle_mib: 2,
    });
    const child = start(scene.at('stderr'));
    expect(await child.exited).toBe(exitCode);
    expect(scene.read('stderr').trimEnd().split('\n').at(-1)).toStartWith(
      `Cannot fetch "${server.url}": ${reason}`,
    );
    expect(scene.calls().filter((call) => !call.startsWith('rauc status '))).toEqual([]);
  });

  test('knows the server by its CA and shows its certificate, and believes no other', async () => {
    const tls = await makeTlsFiles(scene);
    await using server = await HostileServer.start(right, tls.server({ knowsClients: true }));
    const { certificate, key } = tls.client;
    const client = { client_certificate_file: certificate, client_key_file: key };
    const settings = { reserve_mib: 0, url: server.url, fetch_tries: 1, ...client };
    scene.configure({ ...settings, ca_file: tls.otherCa });
    expect(await start(scene.at('stderr')).exited).toBe(1);
    expect(scene.read('stderr')).toContain(
      'its certificate is not signed by an authority that is trusted here',
    );
    expect(server.asked).toEqual([]);

    scene.configure({ ...settings, ca_file: tls.ca, token_file: scene.write('token', 'hunter2\n', 0o600) });
    scene.write('rauc-install.sh', 'cp "$2" seen');
    expect(await start(scene.at('stderr')).exited).toBe(4);
    expect(readFileSync(scene.at('seen')).equals(file.bytes)).toBe(true);
    expect(new Set(server.asked.map(({ headers }) => headers['authorization']))).toEqual(
      new Set(['Bearer hunter2']),
    );
    for (const place of [
      'stderr',
      'data/logs/update.log',
      'run/progress.json',
      'data/update/last-install.json',
    ])
      expect(scene.read(place)).not.toContain('hunter2');
  });

  test('fetches over https when every system call newer than Linux 4.9 answers ENOSYS', async () => {
    const tls = await makeTlsFiles(scene);
    await using server = await HostileServer.start(right, tls.server());
    scene.configure({ reserve_mib: 0, url: server.url, ca_file: tls.ca });
    scene.write('rauc-install.sh', 'cp "$2" seen');
    scene.remove('seen');
    const oldKernel = ['/usr/bin/perl', join(import.meta.dir, '../../compiled/enosys.pl')];
    expect(await start(scene.at('stderr'), oldKernel).exited, scene.read('stderr')).toBe(4);
    expect(readFileSync(scene.at('seen')).equals(file.bytes)).toBe(true);
  });

  test(`fetches ${formatBytes(size)} over ${drops} drops and ${kills} kills`, async () => {
    scene.write('rauc-install.sh', 'cmp "$2" source > differs && touch is-same');
    const descriptor = openSync(scene.at('source'), 'r');
    const line = new BadLine({ descriptor, size, drops, kills });
    await using server = await HostileServer.start((asked, socket) => line.answer(asked, socket));
    scene.configure({ reserve_mib: 0, url: server.url });
    const startedMs = performance.now();
    let exitCode: number | null = null;
    let runs = 0;
    while (exitCode === null && runs <= kills) {
      runs += 1;
      const child = start(scene.at(`stderr-${runs}`));
      line.client = child;
      await child.exited;
      exitCode = child.exitCode;
    }
    const seconds = (performance.now() - startedMs) / 1000;
    closeSync(descriptor);

    const figures = {
      bytes: size,
      drops: line.drops,
      kills: runs - 1,
      requests: server.asked.length,
      sentTwice: line.sentTwice,
      mostSentTwiceAtABreak: Math.max(...line.twiceAtBreaks),
      mostSentTwiceAtAKill: Math.max(...line.twiceAtKills),
      peakMemory: line.peakMemory,
      seconds: Math.round(seconds * 10) / 10,
    };
    tell(figures);
    expect(exitCode, scene.read(`stderr-${runs}`).slice(-1000)).toBe(4);
    expect(existsSync(scene.at('is-same'))).toBe(true);
    expect(figures).toMatchObject({ drops, kills });
    expect(figures.mostSentTwiceAtABreak).toBeLessThanOrEqual(mebibyte);
    expect(figures.mostSentTwiceAtAKill).toBeLessThanOrEqual(mebibyte);
    expect(figures.peakMemory).toBeGreaterThan(mebibyte);
    expect(figures.peakMemory).toBeLessThan(96 * mebibyte);
  }, 180_000);
});

/** Blocks of random bytes with holes between them, so that it costs little to have. */
function makeSparse(path: string): void {
  const descriptor = openSync(path, 'w');
  ftruncateSync(descriptor, size);
  const block = Buffer.alloc(65_536);
  for (let from = 0; from < size; from += 4 * mebibyte) {
    crypto.getRandomValues(block);
    writeSync(descriptor, block, 0, block.length, from + Math.floor(Math.random() * 3 * mebibyte));
  }
  closeSync(descriptor);
}

function tell(figures: Record<string, number>): void {
  const { sentTwice = 0, mostSentTwiceAtABreak = 0, mostSentTwiceAtAKill = 0, peakMemory = 0 } = figures;
  print(
    1,
    `${formatBytes(size)} over ${figures['drops']} drops and ${figures['kills']} kills in ${figures['seconds']} s: sent twice ${formatBytes(sentTwice)} in all, at most ${formatBytes(mostSentTwiceAtABreak)} at a break and ${formatBytes(mostSentTwiceAtAKill)} at a kill; peak memory ${formatBytes(peakMemory)}\n`,
  );
  writeReport('fetch', figures);
}
