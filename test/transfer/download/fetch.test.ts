import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { bootId } from '../../../shared/system/places.ts';
import { createLog } from '../../../shared/system/terminal/log.ts';
import { firstPiece } from '../../../shared/transfer/download/concurrency.ts';
import { Download } from '../../../shared/transfer/download/download.ts';
import type { DownloadState } from '../../../shared/transfer/download/download-notes.ts';
import { type FetchOptions, fetchBundle } from '../../../shared/transfer/download/fetch.ts';
import { type Range, withRange } from '../../../shared/transfer/download/ranges.ts';
import { failureOf } from '../../support/failure-of.ts';
import { mayMount } from '../../support/privileges.ts';
import { onSmallDisk } from '../../support/scene/small-disk.ts';
import { honest, type Part, type ServedFile, someBytes } from '../../support/servers/file-server.ts';
import { type Behaviour, HostileServer, head, reply } from '../../support/servers/hostile-server.ts';
import { TempFolder } from '../../support/temp-folder.ts';
import { until } from '../../support/until.ts';

/** The client in this process, against a server that lies, stalls and drops. */

const mebibyte = 1024 * 1024;
/** A fetch that waits for what never comes is a fault, and told long before the test's own time limit. */
const longestMs = 20_000;
const date = 'Wed, 01 Jan 2025 10:00:00 GMT';

let folder: TempFolder;
let said: string[];
beforeEach(() => {
  folder = new TempFolder();
  said = [];
});
afterEach(() => folder[Symbol.dispose]());

const log = {
  ...createLog('test'),
  info: (line: string) => said.push(line),
  warn: (line: string) => said.push(line),
};

function endsInTime(): AbortSignal {
  const ending = new AbortController();
  const giveUp = (): void => ending.abort(new Error(`the fetch did not end within ${longestMs / 1000} s`));
  setTimeout(giveUp, longestMs).unref();
  return ending.signal;
}

function fetch(url: string, options: Partial<FetchOptions> = {}) {
  return fetchBundle({
    url,
    folder: folder.at('download'),
    credentials: { headers: {}, tls: undefined },
    stallMs: 20_000,
    mostBytes: 64 * mebibyte,
    tries: 3,
    log,
    signal: endsInTime(),
    ...options,
  });
}

/** Fetches, and expects the very bytes, whole and under their name only. */
async function expectFetched(server: HostileServer, file: ServedFile, options: Partial<FetchOptions> = {}) {
  const { path } = await fetch(server.url, options);
  expect(readFileSync(path).equals(file.bytes)).toBe(true);
  expect(existsSync(`${path}.part`)).toBe(false);
  expect(new Download(folder.at('download')).read()).toMatchObject({
    url: server.url,
    isWhole: true,
    totalBytes: file.bytes.length,
  });
}

async function refused(behave: Behaviour, options: Partial<FetchOptions> = {}) {
  await using server = await HostileServer.start(behave);
  const failure = await failureOf(() => fetch(server.url, options));
  expect(failure.message).toStartWith(`Cannot fetch "${server.url}": `);
  expect(new Download(folder.at('download')).read()?.isWhole ?? false).toBe(false);
  return {
    reason: failure.message.slice(`Cannot fetch "${server.url}": `.length),
    outcome: failure.outcome,
    server,
  };
}

describe('fetchBundle()', () => {
  test.each([
    ['a strong ETag', { etag: '"one"' }, '"one"'],
    ['a date only', { etag: undefined, lastModified: date }, date],
    ['a weak ETag and a date', { etag: 'W/"one"', lastModified: date }, date],
  ])(
    'fetches each byte once, in pieces of at most 256 KiB, each bound to the first, by %s',
    async (_what, validators, ifRange) => {
      const file = { bytes: someBytes(2.5 * mebibyte), ...validators };
      await using server = await HostileServer.start(honest(() => file));
      await expectFetched(server, file);
      const pieces = server.asked.map(({ range = { from: 0, to: -1 } }) => range);
      for (const { from, to } of pieces) expect(to - from).toBeLessThan(256 * 1024);
      const inOrder = pieces.toSorted((one, other) => one.from - other.from);
      expect(inOrder.map(({ from }) => from)).toEqual([0, ...inOrder.slice(0, -1).map(({ to }) => to + 1)]);
      expect(inOrder.at(-1)?.to).toBe(file.bytes.length - 1);
      const [first, ...others] = server.asked.map(({ headers }) => headers['if-range']);
      expect([first, ...new Set(others)]).toEqual([undefined, ifRange]);
      for (const { headers } of server.asked) expect(headers['accept-encoding']).toBe('identity');
    },
  );

  test.each([1, firstPiece, firstPiece + 1, mebibyte - 1, mebibyte, mebibyte + 1])(
    'fetches %d bytes to the last',
    async (length) => {
      const file = { bytes: someBytes(length), etag: '"x"' };
      await using server = await HostileServer.start(honest(() => file));
      await expectFetched(server, file);
    },
  );

  test.each([
    ['has no Range', '"x"'],
    ['names nothing by which pieces are known to belong together', undefined],
  ])('downloads in one request when the server %s, and says so', async (_what, etag) => {
    const file = { bytes: someBytes(3 * mebibyte), etag };
    const whole = head(200, { 'Content-Length': file.bytes.length, ...(etag && { ETag: etag }) });
    const behave: Behaviour = etag
      ? (_asked, line) => {
          line.write(whole);
          line.write(file.bytes);
        }
      : honest(() => file);
    await using server = await HostileServer.start(behave);
    await expectFetched(server, file);
    expect(server.ranges().length).toBeLessThanOrEqual(2);
  });

  test('fetches a body without a length to its end', async () => {
    const file = { bytes: someBytes(300_000), etag: undefined };
    await using server = await HostileServer.start((_asked, line) => {
      line.write(head(200, { 'Transfer-Encoding': 'chunked' }));
      for (let from = 0; from < 300_000; from += 100_000) {
        line.write('186a0\r\n');
        line.write(file.bytes.subarray(from, from + 100_000));
        line.write('\r\n');
      }
      line.write('0\r\n\r\n');
    });
    await expectFetched(server, file);
  });

  test.each(['end', 'destroy', 'resetAndDestroy'] as const)(
    'arrives when the line breaks after every 64 KiB, by %s',
    async (cut) => {
      const file = { bytes: someBytes(2 * mebibyte), etag: '"x"' };
      await using server = await HostileServer.start(
        honest(
          () => file,
          (line, part) => {
            line.write(part.head);
            line.write(part.bytes.subarray(0, 65_536), () => line[cut]());
          },
        ),
      );
      await expectFetched(server, file, { tries: 12 });
      expect(server.asked.length).toBeGreaterThan(31);
    },
    60_000,
  );

  /** Cuts the line in the middle of the nth piece, once. */
  function cutOnce(file: () => ServedFile, nth: number): Behaviour {
    let count = 0;
    return honest(file, (line, part) => {
      count += 1;
      line.write(part.head);
      if (count === nth) line.write(part.bytes.subarray(0, part.bytes.length / 2), () => line.destroy());
      else line.write(part.bytes);
    });
  }

  test('resumes in another run after the bytes on the disk, and downloads none of them twice', async () => {
    const file = { bytes: someBytes(3 * mebibyte), etag: '"x"' };
    await using server = await HostileServer.start(cutOnce(() => file, 3));
    const failure = await failureOf(() => fetch(server.url, { tries: 1 }));
    expect(failure.outcome).toBe('tryLater');
    const side = new Download(folder.at('download')).read();
    // Two pieces, and what of the third has been read when the line broke.
    expect(side?.provenBytes).toBeGreaterThanOrEqual(3 * firstPiece);
    const before = server.asked.length;
    await expectFetched(server, file);
    expect(server.asked[before]?.range?.from).toBe(side?.provenBytes ?? -1);
    expect(said.join()).toContain('Resuming at ');
  });

  test('does not believe bytes behind those that are proved, nor a side file that says more than there is', async () => {
    const file = { bytes: someBytes(2 * mebibyte), etag: '"x"' };
    await using server = await HostileServer.start(honest(() => file));
    const side = {
      format: 1,
      url: server.url,
      etag: '"x"',
      lastModified: null,
      totalBytes: file.bytes.length,
      provenBytes: mebibyte,
      isWhole: false,
    };
    folder.write('download/bundle.json', JSON.stringify(side));
    folder.write(
      'download/bundle.raucb.part',
      Buffer.concat([file.bytes.subarray(0, mebibyte), someBytes(500_000)]),
    );
    await expectFetched(server, file);
    expect(server.ranges()[0]).toBe(`bytes=${mebibyte}-${mebibyte + firstPiece - 1}`);
    const before = server.asked.length;

    folder.remove('download/bundle.raucb');
    folder.write('download/bundle.json', JSON.stringify(side));
    folder.write('download/bundle.raucb.part', file.bytes.subarray(0, 1000));
    await expectFetched(server, file);
    expect(server.ranges()[before]).toBe(`bytes=0-${firstPiece - 1}`);
  });

  test('fetches the gaps only, where what lies behind them is proved', async () => {
    const file = { bytes: someBytes(2 * mebibyte), etag: '"x"' };
    await using server = await HostileServer.start(honest(() => file));
    const gaps = [
      { from: 100_000, to: 700_000 },
      { from: 900_000, to: 1_000_000 },
      { from: 1_900_000, to: file.bytes.length },
    ];
    const state = { format: 2, url: server.url, etag: '"x"', lastModified: null, isWhole: false };
    const later = [
      { from: 700_000, to: 900_000 },
      { from: 1_000_000, to: 1_900_000 },
    ];
    const side = { ...state, totalBytes: file.bytes.length, provenBytes: 100_000, later };
    folder.write('download/bundle.json', JSON.stringify(side));
    const part = Buffer.from(file.bytes);
    for (const { from, to } of gaps) part.fill(0, from, to);
    folder.write('download/bundle.raucb.part', part);
    await expectFetched(server, file);
    const asked = server.asked.map(({ range }) => range && { from: range.from, to: range.to + 1 });
    const joined = asked.flatMap((range) => range ?? []).reduce<Range[]>(withRange, []);
    expect(joined).toEqual(gaps);
    expect(said.join()).toContain('Resuming at 1.1 MiB of 2.0 MiB');
  });

  test('does not let one slow piece delay the others, and keeps them when it is stopped', async () => {
    const file = { bytes: someBytes(5 * mebibyte), etag: '"x"' };
    const ending = new AbortController();
    let slow: Range | undefined;
    let served = 0;
    const behave = honest(
      () => file,
      (line, part) => {
        served += 1;
        line.write(part.head);
        const range = { from: part.from, to: part.from + part.bytes.length };
        if (served === 4) {
          slow = range;
          return;
        }
        line.write(part.bytes);
        if (range.to === file.bytes.length)
          void until(isAllElse).then(() => ending.abort(new Error('told to end')));
      },
    );
    const read = (): DownloadState | undefined => new Download(folder.at('download')).read();
    const isAllElse = (): boolean => read()?.later.at(-1)?.to === file.bytes.length;
    await using server = await HostileServer.start(behave);
    expect(await fetch(server.url, { signal: ending.signal }).catch(String)).toBe('Error: told to end');
    const { from, to } = slow ?? { from: 0, to: 0 };
    expect(from).toBeGreaterThan(0);
    expect(read()).toMatchObject({ provenBytes: from, later: [{ from: to, to: file.bytes.length }] });
    const before = server.asked.length;
    await expectFetched(server, file);
    const asked = server.asked.slice(before).flatMap(({ range }) => range ?? []);
    expect(asked.reduce((sum, range) => sum + range.to + 1 - range.from, 0)).toBe(to - from);
  });

  test.each([
    ['the boot that it was written in', () => bootId(), mebibyte],
    ['another boot than it was written in: only what is proved', () => 'another', mebibyte / 2],
  ])('believes what a killed run has written in %s', async (_what, writtenIn, from) => {
    const file = { bytes: someBytes(2 * mebibyte), etag: '"x"' };
    await using server = await HostileServer.start(honest(() => file));
    const state = { format: 1, url: server.url, etag: '"x"', lastModified: null, isWhole: false };
    const side = { ...state, totalBytes: file.bytes.length, provenBytes: mebibyte / 2 };
    folder.write('download/bundle.json', JSON.stringify(side));
    const live = { bootId: writtenIn(), side: { ...side, provenBytes: mebibyte } };
    folder.write('download/bundle.live.json', `${JSON.stringify(live)}\n`);
    folder.write('download/bundle.raucb.part', file.bytes.subarray(0, 1.5 * mebibyte));
    await expectFetched(server, file);
    expect(server.asked[0]?.range?.from).toBe(from);
    expect(readdirSync(folder.at('download')).toSorted()).toEqual(['bundle.json', 'bundle.raucb']);
  });

  test.each([
    ['is not JSON', '{'],
    ['is of a later version', '{"format":3}'],
  ])('begins from the start when the side file %s', async (_what, text) => {
    const file = { bytes: someBytes(1000), etag: '"x"' };
    folder.write('download/bundle.json', text);
    folder.write('download/bundle.raucb.part', someBytes(500));
    await using server = await HostileServer.start(honest(() => file));
    await expectFetched(server, file);
  });

  test('finds the bundle complete after an interruption between its name and its note, or before its name', async () => {
    const file = { bytes: someBytes(2 * mebibyte), etag: '"x"' };
    await using server = await HostileServer.start(honest(() => file));
    const { path, side } = await fetch(server.url);
    folder.write('download/bundle.json', JSON.stringify({ ...side, format: 1, isWhole: false }));
    expect(new Download(folder.at('download')).read()).toMatchObject({ isWhole: true });

    renameSync(path, `${path}.part`);
    const before = server.asked.length;
    await expectFetched(server, file);
    expect(server.asked.length).toBe(before);
  });

  test.skipIf(!mayMount)('says that the disk is full, and resumes when there is room again', async () => {
    const file = { bytes: someBytes(3 * mebibyte), etag: '"x"' };
    await using server = await HostileServer.start(honest(() => file));
    await onSmallDisk(folder, 4096, async (disk) => {
      const options = { folder: join(disk.path, 'download') };
      const ballast = join(disk.path, 'ballast');
      writeFileSync(ballast, Buffer.alloc(2 * mebibyte));
      const failure = await failureOf(() => fetch(server.url, options));
      expect(failure.message).toEndWith('/bundle.raucb.part": no space left on the device');
      expect(failure.outcome).toBe('noSpace');
      expect(new Download(options.folder).read()?.provenBytes).toBeGreaterThanOrEqual(mebibyte);
      rmSync(ballast);
      const { path } = await fetch(server.url, options);
      expect(readFileSync(path).equals(file.bytes)).toBe(true);
      expect(server.asked.at(-1)?.range?.from).toBeGreaterThan(0);
    });
  });

  test('begins from the start when another URL left the part', async () => {
    const file = { bytes: someBytes(3 * mebibyte), etag: '"x"' };
    await using first = await HostileServer.start(cutOnce(() => file, 2));
    await failureOf(() => fetch(first.url, { tries: 1 }));
    await using server = await HostileServer.start(honest(() => file));
    await expectFetched(server, file);
    expect(server.ranges()[0]).toBe(`bytes=0-${firstPiece - 1}`);
  });

  test.each([
    ['its tag', { etag: '"two"' }, 3],
    ['its length with the same tag', { etag: '"one"' }, 2.5],
  ])('begins from the start when the file on the server has changed %s', async (_what, now, length) => {
    const old = { bytes: someBytes(3 * mebibyte), etag: '"one"' };
    const changed = { bytes: someBytes(length * mebibyte), ...now };
    let count = 0;
    await using server = await HostileServer.start(honest(() => (count++ < 2 ? old : changed)));
    await expectFetched(server, changed);
    expect(server.ranges().filter((range) => range.startsWith('bytes=0-'))).toHaveLength(2);
    expect(said.join()).toContain('Starting the download again from the beginning: ');
  });

  test('begins from the start when the file has become shorter than what is here (416)', async () => {
    const old = { bytes: someBytes(3 * mebibyte), etag: '"one"' };
    const short = { bytes: someBytes(1000), etag: '"one"' };
    let count = 0;
    await using server = await HostileServer.start(honest(() => (count++ < 1 ? old : short)));
    await expectFetched(server, short);
  });

  test('fails at a file that changes each time', async () => {
    let count = 0;
    const { reason, outcome } = await refused(
      honest(() => ({ bytes: someBytes(2 * mebibyte), etag: `"${count++}"` })),
    );
    expect([reason, outcome]).toEqual([
      'it started from the beginning 6 times (the file on the server has changed)',
      'tryLater',
    ]);
  });

  test.each([
    ['too early', `bytes 5-${firstPiece + 4}/3145728`],
    ['longer than asked for', 'bytes 0-131071/3145728'],
    ['backwards', 'bytes 7-3/3145728'],
    ['behind the end', `bytes 0-${firstPiece - 1}/1000`],
    ['without a total', `bytes 0-${firstPiece - 1}/*`],
    ['not said', undefined],
  ])('takes no piece whose range is %s, and downloads in one request', async (_what, contentRange) => {
    const file = { bytes: someBytes(3 * mebibyte), etag: '"x"' };
    const right = honest(() => file);
    await using server = await HostileServer.start((asked, line) => {
      if (asked.range === undefined) return right(asked, line);
      line.write(
        head(206, {
          ...(contentRange && { 'Content-Range': contentRange }),
          ETag: '"x"',
          'Content-Length': firstPiece,
        }),
      );
      line.write(file.bytes.subarray(5, firstPiece + 5));
    });
    await expectFetched(server, file);
    expect(server.ranges()).toEqual([`bytes=0-${firstPiece - 1}`, 'none']);
  });

  test.each<[string, Behaviour]>([
    [
      'by its type',
      (_asked, line) => reply(line, 200, { 'Content-Type': 'text/html; charset=utf-8' }, 'x'.repeat(5000)),
    ],
    [
      'by its first bytes',
      (_asked, line) =>
        reply(line, 200, { 'Content-Type': 'application/octet-stream' }, '\n <!DOCTYPE html><title>Login'),
    ],
  ])('refuses a page with 200, known %s, and keeps what has come before', async (_how, portal) => {
    const file = { bytes: someBytes(3 * mebibyte), etag: '"x"' };
    let isPortal = false;
    await using server = await HostileServer.start((asked, line) =>
      isPortal ? portal(asked, line) : cutThenPortal(asked, line),
    );
    const cutting = cutOnce(() => file, 2);
    const cutThenPortal: Behaviour = (asked, line) => cutting(asked, line);
    await failureOf(() => fetch(server.url, { tries: 1 }));
    isPortal = true;
    const failure = await failureOf(() => fetch(server.url));
    expect(failure.message).toEndWith('it answered with a web page, not with a bundle');
    expect(failure.outcome).toBe('tryLater');
    expect(new Download(folder.at('download')).read()?.provenBytes).toBeGreaterThanOrEqual(firstPiece);
    isPortal = false;
    await expectFetched(server, file);
  });

  test.each<[string, Behaviour, string | RegExp]>([
    [
      'is compressed',
      (_asked, line) => reply(line, 200, { 'Content-Encoding': 'gzip' }, 'x'),
      'it compresses the bundle (gzip) though it must not',
    ],
    [
      'is a piece where all was asked for',
      (asked, line) => reply(line, 206, asked.range ? {} : { 'Content-Range': 'bytes 0-0/1' }, 'x'),
      'it answered with a piece (206) where all was asked for',
    ],
    ['is 204', (_asked, line) => void line.write(head(204)), 'it answered 204, which is no file'],
    ['is 404', (_asked, line) => reply(line, 404), 'it answered 404: there is no such file'],
    ['is 401', (_asked, line) => reply(line, 401), 'it answered 401: access denied'],
    ['is empty', (_asked, line) => reply(line, 416, { 'Content-Range': 'bytes */0' }), 'the file is empty'],
    [
      'is 416 to all of it',
      (_asked, line) => reply(line, 416),
      'it answered 416 although no piece was asked for',
    ],
    ['is 503 for ever', (_asked, line) => reply(line, 503), 'it answered 503 (tried 3 times in a row)'],
    [
      'has two lengths',
      (_asked, line) =>
        void line.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde'),
      'the length in its answer is no number, or there are two (tried 3 times in a row)',
    ],
    [
      'has a negative length',
      (_asked, line) => void line.write('HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabcde'),
      'the length in its answer is no number, or there are two (tried 3 times in a row)',
    ],
    [
      'is of another protocol',
      (_asked, line) => void line.end('SSH-2.0-OpenSSH_9.2\r\n'),
      'it does not speak HTTP there (tried 3 times in a row)',
    ],
    [
      'has broken chunks',
      (_asked, line) =>
        void line.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\nhello\r\n'),
      'its answer breaks the rules of HTTP (tried 3 times in a row)',
    ],
    [
      'is no HTTP',
      (_asked, line) => void line.end('hello\r\n\r\n'),
      'the connection broke (tried 3 times in a row)',
    ],
  ])('refuses an answer that %s', async (_what, behave, expected) => {
    expect((await refused(behave)).reason).toBe(String(expected));
  });

  test('refuses a file that is larger than allowed before a byte is written, and an endless one at the bound', async () => {
    const large = await refused(
      (_asked, line) => void line.write(head(200, { 'Content-Length': 65 * mebibyte })),
    );
    expect([large.reason, large.outcome]).toEqual([
      'it has 65.0 MiB, at most 64.0 MiB are allowed',
      'noSpace',
    ]);
    expect(existsSync(folder.at('download'))).toBe(false);

    const block = Buffer.alloc(65_536, 1);
    const endless: Behaviour = (_asked, line) => {
      line.write(head(200, {}));
      const go = (): void => {
        while (!line.destroyed && line.write(block));
        if (!line.destroyed) line.once('drain', go);
      };
      go();
    };
    const { reason, outcome } = await refused(endless, { mostBytes: 3 * mebibyte });
    expect([reason, outcome]).toEqual(['it has more than 3.0 MiB, at most 3.0 MiB are allowed', 'noSpace']);
    expect(readdirSync(folder.at('download'))).toEqual([]);
  });

  test('leaves nothing of a download that breaks and cannot be resumed, and does not say that it is kept', async () => {
    await using server = await HostileServer.start((_asked, line) => {
      line.write(head(200, { 'Transfer-Encoding': 'chunked' }));
      line.write('100000\r\n');
      line.end(Buffer.alloc(mebibyte, 1));
    });
    const failure = await failureOf(() => fetch(server.url));
    expect(failure.message).toEndWith('the connection broke (tried 3 times in a row)');
    expect(failure.advice).toBeUndefined();
    expect(readdirSync(folder.at('download'))).toEqual([]);
  });

  test('says that the bytes are kept when they are, and not when none came', async () => {
    const nothing = await HostileServer.start((_asked, line) => void line.destroy());
    await using _ = nothing;
    expect((await failureOf(() => fetch(nothing.url))).advice).toBeUndefined();

    const cutting = cutOnce(() => ({ bytes: someBytes(3 * mebibyte), etag: '"x"' }), 2);
    await using some = await HostileServer.start(cutting);
    expect((await failureOf(() => fetch(some.url, { tries: 1 }))).advice).toStartWith(
      'The bytes downloaded so far',
    );
  });

  test.each<[string, Behaviour]>([
    ['says nothing', () => {}],
    ['stops in the middle', (_asked, line) => void line.write(`${head(200, { 'Content-Length': 5000 })}xx`)],
    [
      'drips a byte at a time',
      (_asked, line) => {
        line.write(head(200, { 'Content-Length': 5000 }));
        const drip = setInterval(() => line.write('x'), 20);
        line.on('close', () => clearInterval(drip));
      },
    ],
    [
      'drips its headers',
      (_asked, line) => {
        line.write('HTTP/1.1 200 OK\r\n');
        const drip = setInterval(() => line.write('X: y\r\n'), 20);
        line.on('close', () => clearInterval(drip));
      },
    ],
  ])('hangs up on a server that %s', async (_what, behave) => {
    const { reason, server } = await refused(behave, { stallMs: 300, tries: 2 });
    expect(reason).toMatch(/^less than 1 KiB\/s came for \d+ s \(tried 2 times in a row\)$/);
    expect(server.asked).toHaveLength(2);
  });

  test('waits as long as Retry-After says', async () => {
    const file = { bytes: someBytes(1000), etag: '"x"' };
    const right = honest(() => file);
    const times: number[] = [];
    await using server = await HostileServer.start((asked, line) => {
      times.push(performance.now());
      if (times.length === 1) reply(line, 429, { 'Retry-After': 1 });
      else right(asked, line);
    });
    await expectFetched(server, file);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(1000);
  });

  test.each<[string | number, number]>([
    [3600, 60],
    ['9999999999', 527_040],
    ['1'.repeat(400), 527_040],
    ['Fri, 31 Dec 9999 23:59:59 GMT', 527_040],
  ])('fails at once when Retry-After is long: %s', async (retryAfter, minutes) => {
    const { reason, server } = await refused((_asked, line) =>
      reply(line, 503, { 'Retry-After': retryAfter }),
    );
    expect(reason).toBe(`it answered 503, and asks to try again in ${minutes} minutes`);
    expect(server.asked).toHaveLength(1);
  });

  test.each(['', 'identity', 'Identity, identity'])(
    'takes a bundle with Content-Encoding "%s"',
    async (coding) => {
      const bytes = someBytes(1000);
      await using server = await HostileServer.start((_asked, line) => {
        line.write(head(200, { 'Content-Length': bytes.length, 'Content-Encoding': coding, ETag: '"x"' }));
        line.write(bytes);
      });
      await expectFetched(server, { bytes, etag: '"x"' });
    },
  );

  test('keeps to a rate', async () => {
    const file = { bytes: someBytes(600_000), etag: '"x"' };
    await using server = await HostileServer.start(honest(() => file));
    const startedMs = performance.now();
    await expectFetched(server, file, { bytesPerSecond: 600_000, stallMs: 300 });
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(900);
  });

  test('ends when it is told to, and keeps what is proved', async () => {
    const file = { bytes: someBytes(3 * mebibyte), etag: '"x"' };
    const ending = new AbortController();
    let count = 0;
    const behave = honest(
      () => file,
      (line: Socket, part: Part) => {
        count += 1;
        line.write(part.head);
        if (count < 3) line.write(part.bytes);
        else void until(() => proven() === both).then(() => ending.abort(new Error('told to end')));
      },
    );
    const both = 3 * firstPiece;
    const proven = (): number | undefined => new Download(folder.at('download')).read()?.provenBytes;
    await using server = await HostileServer.start(behave);
    expect(await fetch(server.url, { signal: ending.signal }).catch(String)).toBe('Error: told to end');
    expect(proven()).toBe(both);
  });

  test('tells progress up to the end', async () => {
    const file = { bytes: someBytes(2 * mebibyte), etag: '"x"' };
    await using server = await HostileServer.start(honest(() => file));
    const seen: [number, number | undefined][] = [];
    await expectFetched(server, file, { onProgress: (bytes, total) => seen.push([bytes, total]) });
    expect(seen.at(-1)).toEqual([file.bytes.length, file.bytes.length]);
  });
});
