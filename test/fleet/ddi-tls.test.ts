import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { defaultConfig } from '../../shared/config/config.ts';
import { DdiLine, ddiServerOf } from '../../shared/transfer/request/ddi-line.ts';
import { failureOf } from '../support/failure-of.ts';
import { makeTlsFiles, type TlsFiles } from '../support/servers/tls-files.ts';
import { TempFolder } from '../support/temp-folder.ts';

/** A server of a fleet that knows its devices by their certificates alone, with real handshakes. */

let folder: TempFolder;
let files: TlsFiles;
let server: Server;
const shown: string[] = [];
beforeAll(async () => {
  folder = new TempFolder();
  files = await makeTlsFiles(folder);
  server = createServer(files.server({ knowsClients: true }), (request, response) => {
    shown.push(request.headers.authorization ?? 'no token');
    response.end('{"config":{}}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
}, 60_000);
afterAll(() => {
  server?.close();
  server?.closeAllConnections();
  folder[Symbol.dispose]();
});

function line(more: { certificate?: string; key?: string; ca?: string }): DdiLine {
  const { port } = server.address() as AddressInfo; // it listens on a port
  const { update } = defaultConfig({ data: folder.path, root: folder.path, run: folder.path });
  const fleet = {
    url: `https://127.0.0.1:${port}`,
    tenant: 'DEFAULT',
    controllerId: 'board-17',
    targetTokenFile: undefined,
    gatewayTokenFile: undefined,
    consent: 'automatic' as const,
  };
  const config = {
    ...update,
    caFile: more.ca ?? files.ca,
    clientCertificateFile: more.certificate,
    clientKeyFile: more.key,
  };
  return new DdiLine(ddiServerOf(fleet, 'board-17', config), new AbortController().signal, 1);
}

test('a device shows its certificate, and needs no token', async () => {
  expect(await line(files.client).get()).toEqual({ config: {} });
  expect(shown).toEqual(['no token']);
});

test.each([
  ['has no certificate', {}],
  ['does not trust the server', () => ({ ...files.client, ca: files.otherCa })],
])('nothing is said when the device %s', async (_what, given) => {
  const before = shown.length;
  const parts = typeof given === 'function' ? given() : given;
  const failure = await failureOf(() => line(parts).get());
  expect(failure.message).toStartWith('Cannot ask "https://127.0.0.1:');
  expect(failure.outcome).toBe('tryLater');
  expect(shown).toHaveLength(before);
});
