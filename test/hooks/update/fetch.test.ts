import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { Download } from '../../../shared/transfer/download/download.ts';
import { readProgress } from '../../../shared/update/install/progress.ts';
import { closeTransaction, takeUpdaterLock } from '../../support/scene/by-hand.ts';
import { statusJson } from '../../support/scene/rauc-status.ts';
import { type Ended, Scene, type StartOptions } from '../../support/scene/scene.ts';
import { transactionAt } from '../../support/scene/transactions.ts';
import { honest, type ServedFile, someBytes } from '../../support/servers/file-server.ts';
import { type Behaviour, HostileServer, head, reply } from '../../support/servers/hostile-server.ts';
import { makeTlsFiles } from '../../support/servers/tls-files.ts';
import { until } from '../../support/until.ts';

/** The whole way from a server to RAUC, as a process. */

const mebibyte = 1024 * 1024;

let scene: Scene;
let file: ServedFile;
let behave: Behaviour;
let server: HostileServer;
beforeEach(async () => {
  scene = new Scene();
  scene.usual['reboot'] = 'no';
  file = { bytes: someBytes(1.5 * mebibyte), etag: '"one"' };
  behave = honest(() => file);
  server = await HostileServer.start((asked, line) => behave(asked, line));
  configure();
  scene.write('root/etc/rauc/system.conf', '[system]\ncompatible=jetson-nano-homie\n');
  scene.write('rauc-info.json', '{"compatible":"jetson-nano-homie","version":"1.1.0"}');
  scene.write('rauc-status.json', statusJson({ booted: 'rootfs.0' }));
  scene.write('rauc-install.sh', 'cp "$2" seen');
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  scene[Symbol.dispose]();
});

function configure(settings: Record<string, string | number> = {}): void {
  scene.configure({ reserve_mib: 0, fetch_tries: 2, url: server.url, ...settings });
}

function update(args: readonly string[] = [], options: StartOptions = {}): Promise<Ended> {
  return scene.run(['update.sh', ...args], options);
}

const bundle = () => scene.at('data/update/download/bundle.raucb');
const left = () =>
  existsSync(scene.at('data/update/download')) ? readdirSync(scene.at('data/update/download')) : [];
/** What RAUC was told, but for the question whether it is at work. */
const calls = () => scene.calls().filter((call) => !call.startsWith('rauc status '));
const rauc = () => calls().map((call) => call.split(' ')[1]);

function expectInstalled(ended: Ended): void {
  expect(ended.exitCode).toBe(4);
  expect(readFileSync(scene.at('seen')).equals(file.bytes)).toBe(true);
  expect(left()).toEqual([]);
}

describe('update.sh [URL]', () => {
  test('fetches to the data partition, verifies, lets RAUC install, and leaves no download', async () => {
    const ended = await update([`${server.origin}/other.raucb`]);
    const name = `"${server.origin}/other.raucb"`;
    expect(ended.stderr.split('\n').filter((line) => !line.startsWith('Fetching: '))).toEqual([
      'This is plain http: others on the network can read and change the bundle. Only its signature is trusted',
      `Fetching ${name}`,
      `Fetched ${name}`,
      `Verifying "${bundle()}"`,
      `Verified "${bundle()}"`,
      'Installing version "1.1.0"',
      'Installed version "1.1.0"',
      'Reboot to try it: "systemctl reboot"',
      '',
    ]);
    expect(calls()).toEqual([`rauc info --output-format=json ${bundle()}`, `rauc install ${bundle()}`]);
    expectInstalled(ended);
    expect(readProgress(scene.places)).toMatchObject({
      phase: 'done',
      source: `${server.origin}/other.raucb`,
      version: '1.1.0',
      exitCode: 4,
    });
  });

  test.each([[[]], [['install']]])('asks the URL of the config when it is called with %j', async (args) => {
    expectInstalled(await update(args));
    expect(server.asked[0]?.path).toBe('/latest.raucb');
  });

  test('fetches nothing, ends with 0 and says so when the file is the one of the last install', async () => {
    await update();
    const before = server.asked.length;
    const again = await update();
    expect(again.reason).toMatch(
      /^Nothing new: the server still has version "1\.1\.0", installed at .*, and tried at the next boot$/,
    );
    expect(server.asked.slice(before).map(({ headers }) => headers['if-none-match'])).toEqual(['"one"']);
    expect(rauc()).toEqual(['info', 'install']);
    expect(again.exitCode).toBe(0);

    closeTransaction(scene.places, transactionAt('rolled-back'));
    expect((await update()).reason).toMatch(/ and rolled back at .*; --force fetches it again$/);
    expectInstalled(await update(['--force']));
  });

  test('knows the file of the last install by its bytes when the server names it by nothing', async () => {
    file = { bytes: file.bytes, etag: undefined };
    expectInstalled(await update());
    const again = await update();
    expect(again.reason).toStartWith('Nothing new: ');
    expect(rauc()).toEqual(['info', 'install']);
    expect([again.exitCode, left()]).toEqual([0, []]);
    file = { bytes: someBytes(1000), etag: undefined };
    expectInstalled(await update());
  });

  test('fetches again when the file on the server has changed', async () => {
    await update();
    file = { bytes: someBytes(1000), etag: '"two"' };
    expectInstalled(await update());
  });

  test('installs nothing that runs already, unless it is forced', async () => {
    scene.write('root/usr/lib/homie/release', 'VERSION=1.1.0\n');
    const ended = await update();
    expect(ended.reason).toBe('Nothing new: version "1.1.0" runs already; --force installs it again');
    expect([ended.exitCode, rauc(), left()]).toEqual([0, ['info'], []]);
    expect((await update()).reason).toStartWith('Nothing new: the server still has version "1.1.0"');
    expectInstalled(await update(['--force']));
  });

  test('ends with 12 before RAUC installs when the signature is refused, and keeps nothing of it', async () => {
    scene.write('fail-rauc-info', 'signature verification failed: self signed certificate\n');
    const ended = await update();
    expect(ended.reason).toContain('signature verification failed: self signed certificate');
    expect([ended.exitCode, rauc(), left()]).toEqual([12, ['info'], []]);
    expect(readProgress(scene.places)).toMatchObject({ phase: 'failed', exitCode: 12 });
    rmSync(scene.at('fail-rauc-info'));
    expectInstalled(await update());
  });

  test('keeps the bundle when it may not be installed, or RAUC fails, and does not fetch it again', async () => {
    scene.write('rauc-info.json', '{"compatible":"other","version":"1.1.0"}');
    expect((await update()).exitCode).toBe(10);
    scene.write('rauc-info.json', '{"compatible":"jetson-nano-homie","version":"1.1.0"}');
    scene.write('rauc-install.sh', 'echo "LastError: no"; exit 1');
    expect((await update()).exitCode).toBe(1);
    scene.write('rauc-install.sh', 'cp "$2" seen');
    const before = server.asked.length;
    const ended = await update();
    expect(ended.stderr).toContain('It has been fetched before, and is still the same');
    expect(server.ranges().slice(before)).toEqual(['bytes=0-0']);
    expectInstalled(ended);
  });

  test('sends no request when updates are inhibited, or another one runs', async () => {
    scene.write('data/update/inhibit', 'the family is at home\n');
    const inhibited = await update();
    expect(inhibited.reason).toContain('updates are inhibited: the family is at home');
    rmSync(scene.at('data/update/inhibit'));
    const lock = takeUpdaterLock(scene.places);
    const busy = await update();
    lock.release();
    expect([inhibited.exitCode, busy.exitCode, server.asked]).toEqual([14, 9, []]);
  });

  test('names every need when there is no room for all, before anything is fetched', async () => {
    configure({ image_allowance_mib: 1_000_000_000 });
    scene.write('root/opt/homie_orchestrator/docker-compose.yml', 'services: {}\n');
    scene.write('data/backups/pre-migrate-1.0.0-1.1.0-20260101T000000Z.dump', someBytes(4096));
    scene.write('data/redis/dump.rdb', someBytes(2048));
    const ended = await update();
    expect(ended.reason).toMatch(
      /\(bundle 1\.5 MiB, backup \d+ B, dump 7\.0 KiB, images 954 TiB\), .* are free\. Remove old/,
    );
    expect([ended.exitCode, server.ranges(), left()]).toEqual([11, ['bytes=0-0'], []]);
  });

  test.each<[string, Behaviour, number, string]>([
    ['404', (_asked, line) => reply(line, 404), 1, 'it answered 404: there is no such file'],
    ['503', (_asked, line) => reply(line, 503), 21, 'it answered 503 (tried 2 times in a row)'],
    [
      'a web page',
      (_asked, line) => reply(line, 200, { 'Content-Type': 'text/html' }, '<html>'),
      21,
      'it answered with a web page',
    ],
    [
      'more than is allowed',
      (_asked, line) => void line.write(head(200, { 'Content-Length': 3 * mebibyte })),
      11,
      'it has 3.0 MiB, at most 2.0 MiB are allowed',
    ],
  ])('says why when the server answers %s', async (_what, answer, exitCode, reason) => {
    configure({ largest_bundle_mib: 2 });
    behave = answer;
    const ended = await update();
    expect(ended.reason).toStartWith(`Cannot fetch "${server.url}": ${reason}`);
    expect([ended.exitCode, calls()]).toEqual([exitCode, []]);
  });

  test('shows a bar with rate and time left on a terminal, and lines above it; sparse lines elsewhere', async () => {
    file = { bytes: someBytes(3 * mebibyte), etag: '"one"' };
    scene.write('rauc-install.sh', 'cp "$2" seen; echo " 90% Copying image"');
    const args = ['--limit-rate', '1024'];
    const shown = await update(args, { isOnTerminal: true, env: { TERM: 'xterm' } });
    // Each begins by taking the one before away.
    const screens = shown.stdout.replaceAll('\r\x1b[K', '\n');
    expect(screens).toMatch(/^\[#+-+\] \d+% of 3\.0 MiB, [\d.]+ [KM]iB\/s, \d+ s left$/m);
    expect(screens).toMatch(/^\[#+-+\] 90% Copying image$/m);
    expect(screens).toMatch(/^Fetched "/m);
    expect(shown.exitCode).toBe(4);

    const piped = await update(['--force', ...args]);
    const lines = piped.stderr.split('\n').filter((line) => line.startsWith('Fetching: '));
    expect(lines.at(-1)).toMatch(/^Fetching: 100% of 3\.0 MiB, [\d.]+ [KM]iB\/s, 0 s left$/);
    expect(lines.length).toBeLessThanOrEqual(11);
    expect(piped.stderr).not.toContain('\r');
    expect(piped.exitCode).toBe(4);
  });

  test('resumes where it was stopped', async () => {
    file = { bytes: someBytes(3 * mebibyte), etag: '"one"' };
    let pieces = 0;
    let isHolding = true;
    behave = honest(
      () => file,
      (line, part) => {
        pieces += part.bytes.length > 1 ? 1 : 0;
        line.write(part.head);
        if (pieces < 3 || !isHolding) line.write(part.bytes);
      },
    );
    const ended = await update([], {
      whileRunning: async (process) => {
        await until(() => pieces >= 3);
        process.kill('SIGTERM');
      },
    });
    expect(ended.exitCode).toBe(143);
    expect(new Download(scene.at('data/update/download')).read()?.provenBytes).toBe(3 * 16 * 1024);
    expect(readProgress(scene.places)).toMatchObject({ phase: 'failed' });
    takeUpdaterLock(scene.places).release();
    isHolding = false;
    const again = await update();
    expect(again.stderr).toContain('Resuming at 48.0 KiB of 3.0 MiB');
    expectInstalled(again);
  });

  test('goes through the proxy of the environment', async () => {
    configure({ url: 'http://updates.invalid/latest.raucb' });
    const ended = await update([], { env: { http_proxy: server.origin } });
    expect(server.asked[0]?.path).toBe('http://updates.invalid/latest.raucb');
    expectInstalled(ended);
  });

  test('goes through the proxy to https, and does not send it credentials', async () => {
    const tls = await makeTlsFiles(scene);
    await using secure = await HostileServer.start(behave, tls.server());
    const told: string[] = [];
    const proxy = createServer((line) => {
      line.on('error', () => {});
      line.once('data', (bytes) => {
        told.push(bytes.toString());
        const onward = connect(secure.port, '127.0.0.1', () => {
          line.write('HTTP/1.1 200 Connected\r\n\r\n');
          line.pipe(onward).pipe(line);
        });
        onward.on('error', () => {});
      });
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    try {
      const token = scene.write('token', 'hunter2\n', 0o600);
      const url = `https://updates.invalid:${secure.port}/latest.raucb`;
      configure({ url, ca_file: tls.ca, token_file: token });
      const { port } = proxy.address() as AddressInfo; // a TCP server's address is no path
      expectInstalled(await update([], { env: { https_proxy: `http://127.0.0.1:${port}` } }));
    } finally {
      proxy.close();
    }
    expect(told[0]).toStartWith(`CONNECT updates.invalid:${secure.port} `);
    expect(told.join()).not.toContain('hunter2');
    expect(secure.asked[0]?.headers['authorization']).toBe('Bearer hunter2');
  });

  test('takes no URL with a password, and logs none', async () => {
    const ended = await update(['http://me:hunter2@127.0.0.1/x.raucb']);
    expect(ended.reason).toStartWith(
      'Cannot use "http://***@127.0.0.1/x.raucb": it has a user or password in it. ',
    );
    expect(ended.exitCode).toBe(2);
  });

  test.each([[['install']], [['install', '--dry-run']], [['check']], [['check', '--json']]])(
    '%j sends no token over plain http',
    async (args) => {
      for (const [key, secret] of [
        ['token_file', 'hunter2\n'],
        ['basic_auth_file', 'me:hunter2\n'],
      ] as const) {
        configure({ [key]: scene.write(key, secret, 0o600) });
        const ended = await update(args);
        expect(ended.reason).toContain('a token or password would go over plain http');
        expect([ended.exitCode, server.asked]).toEqual([2, []]);
      }
    },
  );

  test('--dry-run asks, and fetches and changes nothing', async () => {
    const ended = await update(['--dry-run']);
    expect(ended.reason).toBe(
      `Would fetch "${server.url}" (1.5 MiB), verify it, and install it if that is allowed`,
    );
    expect([ended.exitCode, left(), existsSync(scene.at('data/logs')), calls()]).toEqual([0, [], false, []]);
    await update();
    expect((await update(['--dry-run'])).reason).toStartWith(
      'Would fetch nothing: the server still has version',
    );
  });

  test('--limit-rate keeps to it, and is refused below 1', async () => {
    const startedMs = performance.now();
    expectInstalled(await update(['--limit-rate', '1024']));
    expect(performance.now() - startedMs).toBeGreaterThan(1400);
    expect((await update(['--limit-rate', '0'])).exitCode).toBe(2);
  });
});

describe('update.sh check', () => {
  const latest = (content: string | undefined): Behaviour => {
    const bundleOf = honest(() => file);
    return (asked, line) => {
      if (asked.path !== '/latest.json') return bundleOf(asked, line);
      return content === undefined ? reply(line, 404) : reply(line, 200, {}, content);
    };
  };

  test('says what latest.json says against what runs, as text and as JSON, and writes nothing', async () => {
    scene.write('root/usr/lib/homie/release', 'VERSION=1.0.0\n');
    behave = latest('{"version":"1.1.0","compatible":"jetson-nano-homie","description":"Rooms","more":1}');
    expect((await update(['check'])).stdout).toBe('Newer: version 1.1.0 is available, 1.0.0 runs\n');
    const json = await update(['check', '--json']);
    expect(JSON.parse(json.stdout)).toEqual({
      format: 1,
      url: server.url,
      isNewer: true,
      reason: 'version 1.1.0 is available, 1.0.0 runs',
      version: '1.1.0',
      description: 'Rooms',
      bytes: file.bytes.length,
      runningVersion: '1.0.0',
      lastInstall: null,
    });
    expect([json.exitCode, left(), scene.calls()]).toEqual([0, [], []]);
  });

  test.each([
    [
      'there is none',
      undefined,
      'Perhaps newer: there is a bundle, but no latest.json that gives its version (1.1.0 runs)',
      '',
    ],
    ['it is the one that runs', '{"version":"1.1.0"}', 'Nothing new: version 1.1.0 runs already', ''],
    ['it is older', '{"version":"1.0.9"}', 'Nothing new: version 1.0.9 is older than 1.1.0, which runs', ''],
    [
      'it is for another board',
      '{"version":"2.0.0","compatible":"x"}',
      'Nothing new: it is for "x", this system is "jetson-nano-homie"',
      '',
    ],
    ['it is a page', '<html>', 'Perhaps newer: ', 'Cannot use '],
    ['its version is none', '{"version":"next"}', 'Perhaps newer: ', 'Cannot use '],
    ['it is endless', `{"version":"${'1'.repeat(70_000)}"}`, 'Perhaps newer: ', ''],
  ])('goes by latest.json when %s', async (_what, content, answer, warning) => {
    scene.write('root/usr/lib/homie/release', 'VERSION=1.1.0\n');
    behave = latest(content);
    const ended = await update(['check']);
    expect(ended.stdout).toStartWith(answer);
    expect(ended.stderr).toStartWith(warning);
    expect(ended.exitCode).toBe(0);
  });

  test('knows the file of the last install, and that it has changed', async () => {
    await update();
    const same = await update(['check', '--json']);
    expect(JSON.parse(same.stdout)).toMatchObject({
      isNewer: false,
      version: '1.1.0',
      lastInstall: { version: '1.1.0' },
    });
    file = { bytes: someBytes(10), etag: '"two"' };
    behave = latest(undefined);
    expect((await update(['check'])).stdout).toBe(
      'Newer: the file has changed since version 1.1.0 was installed from there\n',
    );
  });

  test('ends with 21 when the server does not answer, and with 2 for a text that is no URL', async () => {
    behave = (_asked, line) => void line.destroy();
    expect((await update(['check'])).exitCode).toBe(21);
    expect((await update(['check', scene.write('x.raucb', 'x')])).exitCode).toBe(2);
  });
});
