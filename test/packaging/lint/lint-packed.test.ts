import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import semver from 'semver';
import { readSignature } from '../../../shared/packaging/format/bundle-signature.ts';
import { raucVersion } from '../../../shared/packaging/format/rauc-version.ts';
import { readSquashfs } from '../../../shared/packaging/format/squashfs.ts';
import { inspectBundle } from '../../../shared/packaging/lint/bundle.ts';
import { lintBundle } from '../../../shared/packaging/lint/lint.ts';
import { lintTargetOf } from '../../../shared/packaging/lint/lint-target.ts';
import { openBundle } from '../../../shared/packaging/lint/open-bundle.ts';
import { judgePayload } from '../../../shared/packaging/lint/payload-rules.ts';
import { command } from '../../../shared/system/process/command.ts';
import { flipBit } from '../../rig/bit-flip.ts';
import { isFlat } from '../../support/build/layout.ts';
import { failureOf } from '../../support/failure-of.ts';
import { goodBundle, goodManifest, makeExt4, TestFolder } from './bundle-folder.ts';
import { issueCertificate, type Signer } from './signer.ts';

const shared = new TestFolder();
const image = join(shared.path, 'rootfs.ext4');
let signer: Signer;
const usualFolder = process.env['TMPDIR'];
beforeAll(async () => {
  // A folder of our own: other linters may be at work on this machine.
  process.env['TMPDIR'] = shared.path;
  await makeExt4(image);
  signer = await issueCertificate(shared.path, 'signer');
});
afterAll(() => {
  if (usualFolder === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = usualFolder;
  shared[Symbol.dispose]();
});

const noise = crypto.getRandomValues(new Uint8Array(8192));

const flat = await isFlat();
/** RAUC 1.12 began to look at what it packs. */
const packsAnything = !flat && semver.lt(await raucVersion(), '1.12.0');

async function pack(folder: TestFolder, name = 'bundle.raucb', args = '-comp gzip'): Promise<string> {
  const path = join(shared.path, name);
  rmSync(path, { force: true });
  if (flat) layFlat(folder);
  await command({
    deadlineMs: 60_000,
  })`rauc bundle --cert=${signer.certificate} --key=${signer.key} ${`--mksquashfs-args=${args}`} ${folder.path} ${path}`;
  return path;
}

/** As the build lays a bundle for a RAUC that takes no folders in it. */
function layFlat(folder: TestFolder): void {
  const programs = join(folder.path, 'update-hooks');
  if (!existsSync(programs)) return;
  for (const name of readdirSync(programs)) renameSync(join(programs, name), join(folder.path, name));
  rmSync(programs, { recursive: true });
  const manifest = readFileSync(join(folder.path, 'manifest.raucm'), 'utf8');
  folder.write('manifest.raucm', manifest.replace('update-hooks/', ''));
}

/** As RAUC 1.8 packs it without a word; newer ones refuse folders, links that lead out, and special files. */
async function packUnchecked(folder: TestFolder): Promise<string> {
  const path = join(shared.path, 'unchecked.raucb');
  const run = command({ deadlineMs: 60_000 });
  await run`mksquashfs ${folder.path} ${path} -all-root -noappend -no-progress -no-xattrs -quiet -comp gzip`;
  await sign(path, readFileSync(path));
  return path;
}

/** Writes a plain bundle: this payload, its signature, and the size of that. */
async function sign(path: string, payload: Buffer): Promise<void> {
  writeFileSync(path, payload);
  const signature = join(shared.path, 'signature');
  await command({
    deadlineMs: 30_000,
  })`openssl cms -sign -binary -in ${path} -signer ${signer.certificate} -inkey ${signer.key} -outform DER -out ${signature}`;
  const cms = readFileSync(signature);
  const trailer = Buffer.alloc(8);
  trailer.writeBigUInt64BE(BigInt(cms.length));
  writeFileSync(path, Buffer.concat([payload, cms, trailer]));
}

function leftBehind(): string[] {
  return readdirSync(shared.path).filter((name) => name.startsWith('bundle-lint-'));
}

/** The bundle's payload grown by a hole of zeros, with another signature of any size behind it. */
function regrow(path: string, payloadBytes: number | undefined, signatureTail: number): void {
  const bytes = readFileSync(path);
  const size = Number(bytes.readBigUInt64BE(bytes.length - 8));
  const signature = bytes.subarray(bytes.length - 8 - size, bytes.length - 8);
  truncateSync(path, bytes.length - 8 - size);
  if (payloadBytes !== undefined) truncateSync(path, payloadBytes);
  const trailer = Buffer.alloc(8);
  trailer.writeBigUInt64BE(BigInt(size + signatureTail));
  writeFileSync(path, Buffer.concat([signature, Buffer.alloc(signatureTail), trailer]), { flag: 'a' });
}

describe('lintBundle() of a signed bundle', () => {
  test.each(['plain', 'verity'])(
    'is silent and leaves nothing behind when a %s bundle is good',
    async (format) => {
      using folder = await goodBundle(image);
      folder.write('manifest.raucm', goodManifest.replace('=plain', `=${format}`));
      folder.write('noise', noise);
      symlinkSync('hook', join(folder.path, 'update-hooks/pre-install'));
      expect(await lintBundle(await pack(folder))).toEqual([]);
      expect(leftBehind()).toEqual([]);
    },
  );

  test('finds what RAUC packed without a word when the manifest and its files have faults', async () => {
    using folder = await goodBundle(image);
    folder.write(
      'manifest.raucm',
      goodManifest.replace('1.1.0', '$(date)').replace('update-hooks/hook', 'update-hooks'),
    );
    folder.write('[odd] name; with *', 'x');
    folder.write('update-hooks/late', '#!/bin/sh\ncase "$1" in slot-post-activate) ;; esac\n', 0o755);
    symlinkSync('/etc/hostname', join(folder.path, 'name'));
    await command({ deadlineMs: 10_000 })`mkfifo ${join(folder.path, 'pipe')}`;
    const findings = await lintBundle(await (packsAnything ? pack(folder) : packUnchecked(folder)));
    expect(findings.map(({ rule, file }) => `${rule} ${file}`).sort()).toEqual([
      'hook-never-called update-hooks/late',
      'link-outside-bundle name',
      'program-not-a-file manifest.raucm',
      'special-file pipe',
      'unexpanded-value manifest.raucm',
      'version-not-semantic manifest.raucm',
    ]);
  });

  test('judges program and image by their bytes when they are packed', async () => {
    using folder = await goodBundle(image);
    cpSync('/bin/true', join(folder.path, 'update-hooks/hook'));
    folder.write('rootfs.ext4', noise);
    const findings = await lintBundle(await pack(folder));
    expect(findings.map(({ rule }) => rule)).toEqual(['program-architecture', 'image-content']);
  });

  test('finds the compressor when the kernel is too old for it', async () => {
    using folder = await goodBundle(image);
    const bundle = await pack(folder, 'zstd.raucb', '-comp zstd');
    expect(readSquashfs(bundle)?.compressor).toBe('zstd');
    expect(await lintBundle(bundle)).toMatchObject([
      { rule: 'compressor', file: 'zstd.raucb', level: 'error' },
    ]);
    expect(await lintBundle(bundle, { kernelMin: '4.14' })).toEqual([]);
  });

  test('finds the size when a plain payload has 2 GiB, and not one block before', async () => {
    using folder = await goodBundle(image);
    const bundle = await pack(folder, 'large.raucb');
    await using content = await openBundle(bundle);
    const inspected = await inspectBundle(content);
    const { packing } = inspected;
    if (packing === undefined) throw new Error('a packed bundle was expected');
    const rulesAt = (payloadBytes: number) =>
      judgePayload({ ...inspected, packing: { ...packing, payloadBytes } }, lintTargetOf({})).map(
        ({ rule }) => rule,
      );
    expect([rulesAt(2 ** 31 - 4096), rulesAt(2 ** 31)]).toEqual([[], ['plain-too-large']]);
    regrow(await pack(folder, 'large.raucb'), 2 ** 31, 0);
    expect(await lintBundle(bundle)).toMatchObject([{ rule: 'plain-too-large', level: 'error' }]);
  });

  test('finds the signature when it is larger than an old RAUC reads', async () => {
    using folder = await goodBundle(image);
    const bundle = await pack(folder, 'certificates.raucb');
    regrow(bundle, undefined, 64 * 1024);
    expect(await lintBundle(bundle)).toMatchObject([{ rule: 'signature-size', level: 'error' }]);
    expect(await lintBundle(bundle, { raucMin: '1.14' })).toMatchObject([{ level: 'warning' }]);
  });

  test("judges the signer's certificate when time has passed, and another when one is given", async () => {
    using folder = await goodBundle(image);
    const bundle = await pack(folder);
    const later = { now: new Date(Date.now() + 20 * 365 * 24 * 3600_000) };
    expect(await lintBundle(bundle, later)).toMatchObject([
      { rule: 'certificate-expired', file: `${basename(bundle)} (its signature)` },
    ]);
    const purposeless = await issueCertificate(shared.path, 'code', { extendedKeyUsage: 'codeSigning' });
    expect(await lintBundle(bundle, { certificatePath: purposeless.certificate })).toMatchObject([
      { rule: 'certificate-purpose', file: 'code.pem' },
    ]);
  });

  /** Bits of the squashfs: behind its superblock, in its middle, and in its last table. */
  const places: [where: string, at: (squashfsBytes: number) => number][] = [
    ['behind the superblock', () => 100],
    ['in the middle', (bytes) => Math.floor(bytes / 2)],
    ['at the end', (bytes) => bytes - 1],
  ];

  test.each(places)('finds a flipped bit of a plain bundle %s, and nothing else', async (_where, at) => {
    using folder = await goodBundle(image);
    const bundle = await pack(folder, 'flipped.raucb');
    flipBit(bundle, at(readSquashfs(bundle)?.usedBytes ?? 0) * 8);
    expect(await lintBundle(bundle)).toMatchObject([
      { rule: 'payload-damaged', level: 'error', file: 'flipped.raucb' },
    ]);
    expect(leftBehind()).toEqual([]);
  });

  test.each<[where: string, at: (squashfsBytes: number, payloadBytes: number) => number]>([
    ...places,
    ['in the hash tree', (bytes) => Math.ceil(bytes / 4096) * 4096 + 1],
    ['in the last level of the hash tree', (_bytes, payload) => payload - 4090],
  ])('finds a flipped bit of a verity bundle %s', async (_where, at) => {
    using folder = await goodBundle(image);
    folder.write('manifest.raucm', goodManifest.replace('=plain', '=verity'));
    folder.write('noise', crypto.getRandomValues(new Uint8Array(60_000)).toString().repeat(8));
    const bundle = await pack(folder, 'flipped-verity.raucb');
    expect(await lintBundle(bundle)).toEqual([]);
    flipBit(bundle, at(readSquashfs(bundle)?.usedBytes ?? 0, readSignature(bundle)?.payloadBytes ?? 0) * 8);
    expect(await lintBundle(bundle)).toMatchObject([{ rule: 'payload-damaged', level: 'error' }]);
  });

  test('says that it cannot check a bundle where openssl fails, and not that the bundle is damaged', async () => {
    using folder = await goodBundle(image);
    const bundle = await pack(folder, 'unchecked-content.raucb');
    const tools = join(shared.path, 'tools');
    mkdirSync(tools, { recursive: true });
    // Its exit code for a file that cannot be read (openssl-cms(1)); other calls are the real one's.
    const fake = `#!/bin/sh\ncase "$*" in *-content*proc*|*-content*stdin*) cat >/dev/null; exit 2 ;; esac\nexec ${Bun.which('openssl')} "$@"\n`;
    writeFileSync(join(tools, 'openssl'), fake, { mode: 0o755 });
    const path = process.env['PATH'];
    process.env['PATH'] = `${tools}:${path}`;
    try {
      const failure = await failureOf(() => lintBundle(bundle));
      expect(failure.message).toBe(`Cannot check the content of "${bundle}": "openssl" ended with 2`);
    } finally {
      process.env['PATH'] = path;
    }
  });

  test('finds a changed manifest in the signature of a verity bundle', async () => {
    using folder = await goodBundle(image);
    folder.write('manifest.raucm', goodManifest.replace('=plain', '=verity'));
    folder.write('noise', noise);
    const bundle = await pack(folder, 'manifest.raucb');
    const bytes = readFileSync(bundle);
    writeFileSync(
      bundle,
      Buffer.from(bytes.toString('latin1').replace('version=1.1.0', 'version=9.1.0'), 'latin1'),
    );
    expect(await lintBundle(bundle)).toMatchObject([
      { rule: 'payload-damaged', message: 'the manifest in its signature is not what was signed' },
    ]);
  });

  test.each([
    [
      'a table',
      'its files cannot be listed',
      (bytes: Buffer, used: number) => bytes.fill(0xff, used - 64, used),
    ],
    [
      'a program',
      'its files cannot be read',
      (bytes: Buffer, used: number) => bytes.fill(0xff, Math.floor(used / 2), Math.floor(used / 2) + 512),
    ],
  ])('says in one line that a squashfs was signed with %s damaged', async (_what, reason, damage) => {
    using folder = await goodBundle(image);
    folder.write(
      'update-hooks/hook',
      `#!/bin/sh\n# ${crypto.getRandomValues(new Uint8Array(200_000))}\n`,
      0o755,
    );
    const bundle = await pack(folder, 'signed-damage.raucb');
    const { payloadBytes } = readSignature(bundle) ?? { payloadBytes: 0 };
    const payload = readFileSync(bundle).subarray(0, payloadBytes);
    damage(payload, readSquashfs(bundle)?.usedBytes ?? 0);
    await sign(bundle, payload);
    const failure = await failureOf(() => lintBundle(bundle));
    expect(failure.message).toStartWith(`Cannot lint the bundle "${bundle}": ${reason}`);
    expect(failure.message).not.toContain('\n');
    expect(leftBehind()).toEqual([]);
  });

  test('refuses when the bundle is truncated or unsigned, or its signature is invalid', async () => {
    using folder = await goodBundle(image);
    const bundle = await pack(folder, 'cut.raucb');
    const bytes = readFileSync(bundle);
    const size = Number(bytes.readBigUInt64BE(bytes.length - 8));
    writeFileSync(bundle, bytes.subarray(0, bytes.length - 100));
    await expect(lintBundle(bundle)).rejects.toThrow('there is no signature at its end, or it is truncated');
    writeFileSync(bundle, bytes.subarray(0, bytes.length - 8 - size));
    await expect(lintBundle(bundle)).rejects.toThrow('there is no signature at its end');
    bytes.fill(0, bytes.length - 8 - size, bytes.length - 8);
    writeFileSync(bundle, bytes);
    await expect(lintBundle(bundle)).rejects.toThrow('it is not one that OpenSSL knows');
    expect(leftBehind()).toEqual([]);
  });
});
