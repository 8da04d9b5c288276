import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256Of } from '../../../shared/packaging/format/file-digest.ts';
import { readSquashfs } from '../../../shared/packaging/format/squashfs.ts';
import { createKeys, findKeys } from '../../../shared/packaging/pki/keys.ts';
import { project } from '../../../shared/packaging/project.ts';
import { makeDemoRootfs } from '../../../shared/packaging/root/rootfs.ts';
import { command } from '../../../shared/system/process/command.ts';
import { programVersion } from '../../../shared/system/version.ts';
import { Checkout } from '../../support/build/checkout.ts';
import { compiledPrograms } from '../../support/build/compiled-programs.ts';
import { sbomFaults } from '../../support/build/cyclonedx.ts';
import { isFlat, placeOfProgram } from '../../support/build/layout.ts';
import { packDemoBundle } from '../../support/build/pack-bundle.ts';
import { scriptOf } from '../../support/build/release-workflow.ts';
import { thisArchitecture } from '../../support/build/this-architecture.ts';
import { hasLoopDevices } from '../../support/privileges.ts';
import { type CommandOptions, runCommand } from '../../support/run-command.ts';
import { TempFolder } from '../../support/temp-folder.ts';
import { leftOversIn, nothing } from './left-overs.ts';

/** build.ts as a person runs it, in a checkout of its own. */

type WhileRunning = CommandOptions['whileRunning'];

describe('build.ts', () => {
  let clone: Checkout;
  let checkout: string;
  beforeAll(() => {
    clone = new Checkout();
    checkout = clone.path;
  });
  afterAll(() => clone[Symbol.dispose]());

  const build = (args: string[], env: Record<string, string> = {}, whileRunning?: WhileRunning) =>
    runCommand([process.execPath, 'build.ts', ...args], {
      cwd: checkout,
      env: { ...process.env, ...env },
      whileRunning,
    });

  test.each([
    'hooks',
    'keys',
    'lint',
    'bundle',
    'simulate',
    'licenses',
    'reference',
    'notes',
    'all',
    'start',
  ])('%s --help names its options and exits 0', async (name) => {
    const { exitCode, stdout, stderr } = await build([name, '--help']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain(`build.ts ${name}`);
    expect(stdout).toContain('Exit codes:');
  });

  test.each([
    { args: [], says: 'a command is missing' },
    { args: ['bundel'], says: 'did you mean "bundle"' },
    { args: ['bundle', '--colour'], says: 'colour' },
    { args: ['hooks', '--target', 'sparc'], says: 'sparc' },
    { args: ['bundle'], says: 'is not there. Use "bun build.ts hooks" first' },
    { args: ['simulate', '--bundle', '/nowhere.raucb'], says: '"/nowhere.raucb": no such file' },
    { args: ['simulate', '--end', '/tmp'], says: 'it is no embedded device' },
    { args: ['lint', '/nowhere'], says: '/nowhere' },
  ])('refuses $args in one line', async ({ args, says }) => {
    const { exitCode, stdout, stderr } = await build([...args]);
    expect(stderr.trim().split('\n')).toEqual([expect.stringContaining(says)]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  });

  test('--version is that of package.json', async () => {
    expect(await build(['--version'])).toEqual({ exitCode: 0, stdout: `${programVersion}\n`, stderr: '' });
  });

  describe('with programs and keys', () => {
    const epoch = { SOURCE_DATE_EPOCH: '1750000000' };
    beforeAll(async () => {
      expect((await build(['hooks'])).exitCode).toBe(0);
      expect((await build(['keys'])).exitCode).toBe(0);
    }, 60_000);

    test('keys refuses to make them again', async () => {
      const before = readdirSync(join(checkout, '.keys'), { recursive: true }).sort();
      const { exitCode, stderr } = await build(['keys']);
      expect(stderr.trim()).toContain('there are keys already');
      expect(exitCode).toBe(2);
      expect(readdirSync(join(checkout, '.keys'), { recursive: true }).sort()).toEqual(before);
    });

    test.each([
      { args: ['--version', '1.2'], says: 'it is not a semantic version', code: 2 },
      { args: ['--rootfs', '/nowhere.ext4'], says: '"/nowhere.ext4"', code: 2 },
      { args: ['--cert', '/nowhere.pem'], says: '--cert, --key and --keyring belong together', code: 2 },
      { args: ['--compress', 'zstd'], says: 'a device would fail at it', code: 10 },
    ])('bundle refuses $args and leaves no half bundle', async ({ args, says, code }) => {
      const { exitCode, stderr } = await build(['bundle', ...args]);
      expect(stderr.trim().split('\n').at(-1)).toContain(says);
      expect(exitCode).toBe(code);
      expect(bundlesIn(join(checkout, 'dist'))).toEqual([]);
      expect(readdirSync(join(checkout, '.cache'))).toEqual([]);
    });

    test('bundle refuses a SOURCE_DATE_EPOCH that is none', async () => {
      const { exitCode, stderr } = await build(['bundle'], { SOURCE_DATE_EPOCH: 'yesterday' });
      expect(stderr).toContain('Cannot use SOURCE_DATE_EPOCH "yesterday": seconds since 1970 were expected');
      expect(exitCode).toBe(2);
    });

    test('bundle gives the same payload for the same time, says what each part costs, and lists its parts', async () => {
      const payloads = [];
      for (const name of ['one', 'two']) {
        const output = join(checkout, `${name}.raucb`);
        const { exitCode, stdout } = await build(['bundle', '--compress', 'lz4', '--output', output], epoch);
        expect(exitCode).toBe(0);
        expect(stdout).toMatch(/rootfs\.ext4 +16\.0 MiB +→ +[\d.]+ KiB/);
        const programs = (await isFlat()) ? 'programs' : 'update-hooks/';
        expect(stdout).toMatch(new RegExp(`${programs} +\\d+ MiB +→ +[\\d.]+ MiB`));
        const payloadBytes = readSquashfs(output)?.usedBytes ?? 0;
        expect(payloadBytes).toBeGreaterThan(1_000_000);
        const sbom = readFileSync(join(checkout, `${name}.cdx.json`), 'utf8');
        expect(sbomFaults(sbom)).toEqual([]);
        expect(JSON.parse(sbom).metadata.component.hashes).toEqual([
          { alg: 'SHA-256', content: await sha256Of(output) },
        ]);
        payloads.push(Bun.hash(readFileSync(output).subarray(0, payloadBytes)));
      }
      expect(payloads[0]).toBe(payloads[1] ?? 0n);
    }, 120_000);

    test('bundle and root file system hold nothing of a key', async () => {
      const output = await goodBundle();
      const content = join(checkout, 'content');
      await command({
        deadlineMs: 60_000,
      })`unsquashfs -quiet -no-progress -no-xattrs -dest ${content} ${output}`;
      // The one place that says the version is package.json.
      expect(readFileSync(join(content, 'manifest.raucm'), 'utf8')).toContain(
        `\nversion=${programVersion}\n`,
      );
      const [program, factsFile] = [await placeOfProgram('hook'), await placeOfProgram('bundle.json')];
      const facts = JSON.parse(readFileSync(join(content, factsFile), 'utf8'));
      expect(facts.version).toBe(programVersion);
      const secrets = secretsOf(join(checkout, '.keys'));
      expect(secrets.length).toBeGreaterThanOrEqual(2);
      const searched = ['rootfs.ext4', 'manifest.raucm', program, factsFile];
      for (const file of [...searched.map((name) => join(content, name)), output]) {
        const bytes = readFileSync(file);
        for (const secret of secrets)
          expect({ file, holds: bytes.includes(secret) }).toEqual({ file, holds: false });
      }
    }, 60_000);

    test('bundle signs with a key that has a passphrase, and not without it', async () => {
      const key = join(checkout, 'locked.pem');
      const signer = join(checkout, '.keys', 'signer-1');
      const run = command({ deadlineMs: 30_000, env: { PASS: 'open sesame' } });
      await run`openssl pkcs8 -topk8 -in ${join(signer, 'signer.key.pem')} -out ${key} -passout env:PASS`;
      const output = join(checkout, 'locked.raucb');
      const signing = [
        '--cert',
        join(signer, 'signer.cert.pem'),
        '--key',
        key,
        '--keyring',
        join(checkout, '.keys/keyring.pem'),
      ];
      const args = ['bundle', '--compress', 'lz4', '--output', output, ...signing];
      const wrong = await build(args, { RAUC_KEY_PASSPHRASE: 'wrong' });
      expect(wrong.stderr.trim().split('\n').at(-1)).toContain('Cannot pack and sign "locked.raucb"');
      expect([wrong.exitCode, existsSync(output)]).toEqual([1, false]);
      expect((await build(args, { RAUC_KEY_PASSPHRASE: 'open sesame' })).exitCode).toBe(0);
      expect(existsSync(output)).toBe(true);
    }, 60_000);

    test('bundle signs with a key that never leaves its PKCS#11 token', async () => {
      const tokens = join(checkout, 'tokens');
      mkdirSync(tokens);
      const conf = join(checkout, 'softhsm2.conf');
      writeFileSync(conf, `directories.tokendir = ${tokens}\nobjectstore.backend = file\n`);
      const run = command({ deadlineMs: 30_000, env: { SOFTHSM2_CONF: conf } });
      const signer = join(checkout, '.keys', 'signer-1');
      await run`softhsm2-util --init-token --free --label homie --pin 1234 --so-pin 5678`;
      const key = join(signer, 'signer.key.pem');
      await run`softhsm2-util --import ${key} --label signer --id 01 --token homie --pin 1234`;
      const output = join(checkout, 'token.raucb');
      const keyring = join(checkout, '.keys/keyring.pem');
      const signing = ['--cert', join(signer, 'signer.cert.pem'), '--keyring', keyring];
      const args = ['bundle', '--compress', 'lz4', '--output', output, ...signing];
      const env = {
        SOFTHSM2_CONF: conf,
        RAUC_PKCS11_MODULE: '/usr/lib/softhsm/libsofthsm2.so',
        RAUC_PKCS11_PIN: '1234',
      };
      const wrong = await build([...args, '--key', 'pkcs11:token=homie;object=other'], env);
      expect([wrong.exitCode, existsSync(output)]).toEqual([1, false]);
      const right = await build([...args, '--key', 'pkcs11:token=homie;object=signer'], env);
      expect({ exitCode: right.exitCode, stderr: right.stderr }).toMatchObject({ exitCode: 0 });
      expect(existsSync(output)).toBe(true);
    }, 60_000);

    test('the release workflow signs with a key that only its environment holds, and sums up what it made', async () => {
      await makeDemoRootfs(join(checkout, 'rootfs.ext4'), programVersion, new Date(0));
      writeFileSync(join(checkout, 'THIRD-PARTY.md'), 'whose\n');
      const pem = (name: string) => readFileSync(join(checkout, '.keys', name), 'utf8');
      const env = {
        ...process.env,
        SIGNING_CERT: pem('signer-1/signer.cert.pem'),
        SIGNING_KEYRING: pem('keyring.pem'),
        SIGNING_KEY_URL: '',
        SIGNING_KEY: pem('signer-1/signer.key.pem'),
        RAUC_KEY_PASSPHRASE: '',
        RAUC_PKCS11_MODULE: '',
        RAUC_PKCS11_PIN: '',
      };
      const keyFolders = () => readdirSync('/dev/shm').filter((name) => name.startsWith('tmp.'));
      const before = keyFolders();
      // The packing itself is the same with a quicker compressor.
      const scripts = [
        `${scriptOf('Pack and sign').trimEnd()} --compress lz4`,
        scriptOf('Gather, with checksums'),
      ];
      for (const text of scripts) {
        const words = ['bash', '--noprofile', '--norc', '-e', '-o', 'pipefail', '-c', text];
        expect(await runCommand(words, { cwd: checkout, env })).toMatchObject({ exitCode: 0 });
      }
      expect(keyFolders()).toEqual(before);
      const made = `homie-orchestrator-v${programVersion}`;
      const sums = readFileSync(join(checkout, 'out', 'SHA256SUMS'), 'utf8')
        .trim()
        .split('\n');
      expect(sums.map((line) => line.slice(66))).toEqual([
        `${made}.raucb`,
        `${made}.cdx.json`,
        'THIRD-PARTY.md',
      ]);
      expect(sums[0]?.slice(0, 64)).toBe(await sha256Of(join(checkout, 'out', `${made}.raucb`)));
    }, 60_000);

    test('lint tells each fault of a bad bundle with what to do, and passes a good one', async () => {
      const bad = await build(['lint', join(project.root, 'test', 'fixtures', 'guide-bundle')]);
      expect(bad.exitCode).toBe(1);
      expect(bad.stdout).toContain('[manifest-missing]');
      expect(bad.stderr.trim()).toMatch(/^Cannot pass ".*": \d+ faults that a device would fail at$/);
      expect(await build(['lint', await goodBundle()])).toMatchObject({
        exitCode: 0,
        stdout: expect.stringContaining('No fault'),
      });
    }, 60_000);

    /** Of a test before, where there is one. */
    async function goodBundle(): Promise<string> {
      const output = join(checkout, 'one.raucb');
      if (!existsSync(output))
        expect((await build(['bundle', '--compress', 'lz4', '--output', output], epoch)).exitCode).toBe(0);
      return output;
    }
  });

  test.skipIf(!hasLoopDevices)(
    'simulate --keep leaves a device to look at, and --end takes it away',
    async () => {
      using temporary = new TempFolder();
      const env = { TMPDIR: temporary.path };
      const keys = findKeys(join(checkout, '.keys')) ?? (await createKeys(join(checkout, '.keys')));
      // As shipped is how `start` simulates: this machine's programs need no emulator.
      const bundle = await packDemoBundle({
        programs: await compiledPrograms({ architecture: thisArchitecture }),
        architecture: thisArchitecture,
        version: programVersion,
        keys,
        output: join(checkout, 'native.raucb'),
      });
      const { exitCode, stdout } = await build(['simulate', '--keep', '--bundle', bundle], env);
      expect(exitCode).toBe(0);
      const folder = /kept in (\S+)/.exec(stdout)?.[1] ?? '';
      const status = await command({ deadlineMs: 30_000 })`${join(folder, 'enter')} rauc status`;
      expect(status.stdout).toContain('Booted from: rootfs.1 (B)');
      expect((await build(['simulate', '--end', folder])).exitCode).toBe(0);
      expect(folder).toStartWith(temporary.path);
      expect(await leftOversIn(temporary.path)).toEqual(nothing);
    },
    120_000,
  );

  test.skipIf(!hasLoopDevices)(
    'simulate leaves nothing when it is stopped in the middle',
    async () => {
      using temporary = new TempFolder();
      const child = Bun.spawn([process.execPath, 'build.ts', 'simulate'], {
        cwd: checkout,
        env: { ...process.env, TMPDIR: temporary.path },
        stdout: 'pipe',
        stderr: 'pipe',
      });
      const reader = child.stdout.getReader();
      let told = '';
      while (!told.includes('rauc install runs our programs')) {
        const { value, done } = await reader.read();
        if (done) break;
        told += new TextDecoder().decode(value);
      }
      child.kill('SIGINT');
      await reader.cancel();
      expect(await child.exited).toBe(130);
      expect(await leftOversIn(temporary.path)).toEqual(nothing);
    },
    120_000,
  );
});

function bundlesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.raucb')) : [];
}

/** Of every private key the base64 body's longest line, and the words that such a file begins with. */
function secretsOf(folder: string): Buffer[] {
  const files = readdirSync(folder, { recursive: true }).map((name) => join(folder, String(name)));
  const keys = files.filter((file) => file.endsWith('.key.pem') && statSync(file).isFile());
  const lines = keys.map(
    (file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .toSorted((a, b) => b.length - a.length)[0] ?? '',
  );
  return [...lines, '-----BEGIN PRIVATE KEY-----\nM'].map((text) => Buffer.from(text));
}
