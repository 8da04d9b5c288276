import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { TLSSocket, type TlsOptions } from 'node:tls';
import { createLog } from '../../../shared/system/terminal/log.ts';
import { mostLanes } from '../../../shared/transfer/download/concurrency.ts';
import { fetchBundle } from '../../../shared/transfer/download/fetch.ts';
import { type CredentialFiles, readCredentials } from '../../../shared/transfer/request/credentials.ts';
import { failureOf } from '../../support/failure-of.ts';
import { honest, someBytes } from '../../support/servers/file-server.ts';
import { type Behaviour, HostileServer, reply } from '../../support/servers/hostile-server.ts';
import { makeTlsFiles, type TlsFiles } from '../../support/servers/tls-files.ts';
import { TempFolder } from '../../support/temp-folder.ts';

/** Which servers are trusted, and which get credentials: with real handshakes. */

let shared: TempFolder;
let files: TlsFiles;
beforeAll(async () => {
  shared = new TempFolder();
  files = await makeTlsFiles(shared);
}, 60_000);
afterAll(() => shared[Symbol.dispose]());

let folder: TempFolder;
beforeEach(() => {
  folder = new TempFolder();
});
afterEach(() => folder[Symbol.dispose]());

const file = { bytes: someBytes(1_500_000), etag: '"x"' };
const right = honest(() => file);

function fetch(url: string, given: Partial<CredentialFiles> = {}) {
  return fetchBundle({
    url,
    folder: folder.at('download'),
    credentials: readCredentials({
      caFile: files.ca,
      clientCertificateFile: undefined,
      clientKeyFile: undefined,
      tokenFile: undefined,
      basicAuthFile: undefined,
      ...given,
    }),
    stallMs: 20_000,
    mostBytes: 10_000_000,
    tries: 2,
    log: createLog('test'),
    signal: new AbortController().signal,
  });
}

async function expectFetched(server: HostileServer, given: Partial<CredentialFiles> = {}): Promise<void> {
  const { path } = await fetch(server.url, given);
  expect(readFileSync(path).equals(file.bytes)).toBe(true);
}

function hasShownCertificate(line: Socket): boolean {
  return line instanceof TLSSocket && Object.keys(line.getPeerCertificate()).length > 0;
}

async function reasonOf(tls: TlsOptions, given: Partial<CredentialFiles> = {}) {
  await using server = await HostileServer.start(right, tls);
  const { message, outcome } = await failureOf(() => fetch(server.url, given));
  expect(server.asked).toEqual([]);
  return [message.slice(`Cannot fetch "${server.url}": `.length), outcome];
}

describe('over https', () => {
  test('a server that the CA vouches for is believed', async () => {
    await using server = await HostileServer.start(right, files.server());
    await expectFetched(server);
  });

  test.each([
    [
      'another CA vouches for it',
      () => reasonOf(files.server(), { caFile: files.otherCa }),
      'its certificate is not signed by an authority that is trusted here',
    ],
    [
      'only the usual authorities are trusted',
      () => reasonOf(files.server(), { caFile: undefined }),
      'its certificate is not signed by an authority that is trusted here',
    ],
    [
      'its certificate is for another name',
      () => reasonOf(files.server({ isForOtherName: true })),
      'its certificate is for another name',
    ],
    [
      'its certificate has expired',
      () => reasonOf(files.server({ hasExpired: true })),
      'its certificate has expired, or the clock here is wrong',
    ],
  ])('nothing is asked of a server, and it is not tried again, when %s', async (_when, ask, reason) => {
    expect(await ask()).toEqual([reason, 'failed']);
  });

  test('a server that wants to know its clients is shown the certificate; without, the handshake fails', async () => {
    const tls = files.server({ knowsClients: true });
    await using server = await HostileServer.start((asked, line) => {
      expect(hasShownCertificate(line)).toBe(true);
      return right(asked, line);
    }, tls);
    await expectFetched(server, {
      clientCertificateFile: files.client.certificate,
      clientKeyFile: files.client.key,
    });
    const [reason, outcome] = await reasonOf(tls);
    expect(reason).toMatch(
      /^(it does not speak TLS there, or does not accept our certificate|the connection broke) \(tried 2/,
    );
    expect(outcome).toBe('tryLater');
  });
});

describe('credentials', () => {
  const token = () => ({ tokenFile: folder.write('token', 's3cret-token\n', 0o600) });

  test.each([
    ['a token', token, 'Bearer s3cret-token'],
    [
      'user and password',
      () => ({ basicAuthFile: folder.write('basic', 'me:pass:word\n', 0o600) }),
      `Basic ${btoa('me:pass:word')}`,
    ],
  ])('is sent with every request when it is %s', async (_what, given, header) => {
    await using server = await HostileServer.start(right, files.server());
    await expectFetched(server, given());
    expect(server.asked.length).toBeGreaterThan(1);
    for (const { headers } of server.asked) expect(headers['authorization']).toBe(header);
  });

  test('is not told to another host that the server redirects to, neither token nor certificate', async () => {
    const mirrorTls = { ...files.server({ knowsClients: true }), rejectUnauthorized: false };
    const shown: boolean[] = [];
    await using mirror = await HostileServer.start((asked, line) => {
      shown.push(hasShownCertificate(line));
      return right(asked, line);
    }, mirrorTls);
    const redirect: Behaviour = (_asked, line) => reply(line, 302, { Location: mirror.url });
    await using server = await HostileServer.start(redirect, files.server());
    await expectFetched(server, {
      ...token(),
      clientCertificateFile: files.client.certificate,
      clientKeyFile: files.client.key,
    });
    expect(server.asked[0]?.headers['authorization']).toBe('Bearer s3cret-token');
    expect(mirror.asked.length).toBeGreaterThan(1);
    for (const { headers } of mirror.asked) expect(headers['authorization']).toBeUndefined();
    expect(new Set(shown)).toEqual(new Set([false]));
  });
});

describe('a redirect', () => {
  test('is followed once, and then asked for at once; a signed address that has gone stale is asked for anew', async () => {
    await using mirror = await HostileServer.start((asked, line) => {
      const isStale = asked.path.endsWith('signed=1') && mirror.asked.length > 1;
      return isStale ? reply(line, 403) : right(asked, line);
    });
    await using server = await HostileServer.start((_asked, line) =>
      reply(line, 307, { Location: `${mirror.url}?signed=${server.asked.length}` }),
    );
    await expectFetched(server);
    // Each request that was on its way with the stale one asks anew, and none after them.
    const addresses = mirror.asked.map(({ path }) => path.split('?')[1]);
    expect(addresses.slice(0, 2)).toEqual(['signed=1', 'signed=1']);
    const stale = addresses.filter((address) => address === 'signed=1').length - 1;
    expect(stale).toBeLessThanOrEqual(mostLanes);
    expect(server.asked).toHaveLength(1 + stale);
  });

  test.each([
    ['in a circle', (url: string) => url, 'it redirects more than 5 times'],
    ['nowhere', () => undefined, 'it redirects without saying where to'],
    ['to a file', () => 'file:///etc/shadow', 'it redirects to file:, which is not followed'],
    [
      'to plain http',
      (url: string) => url.replace('https', 'http'),
      /^it redirects from https to http \(http:.*\), which is not followed$/,
    ],
  ])('is not followed %s', async (_where, locationOf, reason) => {
    const server: HostileServer = await HostileServer.start((_asked, line) => {
      const location = locationOf(server.url);
      reply(line, 301, location === undefined ? {} : { Location: location });
    }, files.server());
    await using _ = server;
    const { message, outcome } = await failureOf(() => fetch(server.url));
    expect(message.replace(/^Cannot fetch ".*?": /, '')).toMatch(reason);
    expect(outcome).toBe('tryLater');
  });
});
