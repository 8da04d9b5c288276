import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createKeys, type KeySet } from '../../../shared/packaging/pki/keys.ts';
import { command } from '../../../shared/system/process/command.ts';
import { issueCertificate } from '../../packaging/lint/signer.ts';
import { makeExpiredSigner, makeForeignKeys, makeFutureSigner } from '../servers/certificates.ts';

/** Bundles that RAUC takes, and bundles that it refuses for each reason, made with the real tools. */

type Signing = Pick<KeySet, 'certificatePath' | 'keyPath'>;

const run = command({ deadlineMs: 60_000 });

const goodManifest =
  '[update]\ncompatible=jetson-nano-homie\nversion=1.1.0\n\n[image.rootfs]\nfilename=rootfs.img\n';

/** The parts of a bundle: payload, CMS signature, and its size in eight bytes. */
function partsOf(bundle: string): { payload: Buffer; signature: Buffer } {
  const bytes = readFileSync(bundle);
  const end = bytes.length - 8;
  const start = end - Number(bytes.readBigUInt64BE(end));
  return { payload: bytes.subarray(0, start), signature: bytes.subarray(start, end) };
}

function joinParts(payload: Buffer, signature: Buffer): Buffer {
  const trailer = Buffer.alloc(8);
  trailer.writeBigUInt64BE(BigInt(signature.length));
  return Buffer.concat([payload, signature, trailer]);
}

export class OddBundles {
  readonly folder: string;
  readonly keys: KeySet;

  private constructor(folder: string, keys: KeySet) {
    this.folder = folder;
    this.keys = keys;
  }

  /** The keys of the devices are made in the folder, which is the caller's to remove. */
  static async in(folder: string): Promise<OddBundles> {
    return new OddBundles(folder, await createKeys(join(folder, 'keys')));
  }

  /** The paths by name, which says what RAUC finds. */
  async makeAll(): Promise<Map<string, string>> {
    const { folder, keys } = this;
    const good = await this.pack('good', goodManifest);
    const verity = await this.pack('good-verity', `${goodManifest}[bundle]\nformat=verity\n`);
    const bytes = readFileSync(good);
    const flipped = Buffer.from(bytes);
    flipped.writeUInt8(flipped.readUInt8(2000) ^ 1, 2000);
    const { payload, signature } = partsOf(good);
    const purpose = await issueCertificate(folder, 'code-only', { extendedKeyUsage: 'codeSigning' });
    const resigned = async (name: string, signer: Signing): Promise<string> =>
      this.#write(name, joinParts(payload, await this.#sign(payload, signer, ['-binary'])));
    const withLines = (name: string, lines: string): Promise<string> =>
      this.#packUnchecked(name, `${goodManifest}${lines}`);
    return new Map(
      Object.entries({
        good,
        'good-verity': verity,
        'flipped-byte': this.#write('flipped-byte', flipped),
        'foreign-signer': await resigned('foreign-signer', await makeForeignKeys(join(folder, 'foreign'))),
        'self-signed': await resigned('self-signed', {
          certificatePath: (await issueCertificate(folder, 'nobody')).certificate,
          keyPath: join(folder, 'nobody.key'),
        }),
        'expired-signer': await resigned(
          'expired-signer',
          await makeExpiredSigner(join(folder, 'old'), keys),
        ),
        'future-signer': await resigned('future-signer', await makeFutureSigner(join(folder, 'new'), keys)),
        'wrong-purpose': await resigned('wrong-purpose', {
          certificatePath: purpose.certificate,
          keyPath: purpose.key,
        }),
        empty: this.#write('empty', Buffer.alloc(0)),
        'random-bytes': this.#write('random-bytes', Buffer.alloc(100, 0xa7)),
        'web-page': this.#write('web-page', Buffer.from('<html>404 Not Found</html>'.repeat(100))),
        'zero-bytes': this.#write('zero-bytes', Buffer.alloc(8192)),
        'cut-short': this.#write('cut-short', bytes.subarray(0, bytes.length - 100)),
        'not-signed': this.#write('not-signed', payload),
        'bad-signature': this.#write('bad-signature', joinParts(payload, Buffer.alloc(signature.length, 1))),
        'odd-payload': this.#write(
          'odd-payload',
          joinParts(payload.subarray(0, payload.length - 1), signature),
        ),
        'large-signature': this.#write(
          'large-signature',
          joinParts(payload, Buffer.concat([signature, Buffer.alloc(64 * 1024)])),
        ),
        'unknown-key': await withLines('unknown-key', 'colour=red\n'),
        'unknown-group': await withLines('unknown-group', '[custom]\nkey=value\n'),
        'for-newer-rauc': await this.#packUnchecked(
          'for-newer-rauc',
          goodManifest.replace('version', 'min-rauc-version=99.0\nversion'),
        ),
        'unknown-key-verity': await this.#resignManifest('unknown-key-verity', verity, (text) =>
          text.replace('[image.rootfs]', '[image.rootfs]\ncolour=red'),
        ),
        'unknown-hook': await withLines('unknown-hook', 'hooks=post-activate\n'),
        'unknown-format': await withLines('unknown-format', '[bundle]\nformat=zip\n'),
        'unreadable-manifest': await withLines('unreadable-manifest', 'no key and no group\n'),
        'no-compatible': await this.#packUnchecked(
          'no-compatible',
          goodManifest.replace(/^compatible=.*\n/m, ''),
        ),
        'no-manifest': await this.#packUnchecked('no-manifest', undefined),
        encrypted: await this.#encrypt(),
        'not-encrypted': await this.pack('not-encrypted', `${goodManifest}[bundle]\nformat=crypt\n`),
        folder: this.#folderBundle(),
        missing: join(folder, 'missing.raucb'),
      }),
    );
  }

  /** As `rauc bundle` makes it. */
  async pack(name: string, manifest: string): Promise<string> {
    const content = this.content(manifest);
    const output = join(this.folder, `${name}.raucb`);
    const { certificatePath, keyPath } = this.keys;
    await run`rauc bundle --cert=${certificatePath} --key=${keyPath} ${'--mksquashfs-args=-comp gzip'} ${content} ${output}`;
    return output;
  }

  /** Signed by a key that the devices trust, with a manifest that the `rauc bundle` of this machine may refuse. */
  async #packUnchecked(name: string, manifest: string | undefined): Promise<string> {
    const content = this.content(manifest);
    const image = join(this.folder, `${name}.squashfs`);
    await run`mksquashfs ${content} ${image} -all-root -noappend -no-progress -no-xattrs -quiet`;
    const payload = readFileSync(image);
    return this.#write(name, joinParts(payload, await this.#sign(payload, this.keys, ['-binary'])));
  }

  async #resignManifest(name: string, verity: string, edit: (text: string) => string): Promise<string> {
    const { payload, signature } = partsOf(verity);
    const cms = join(this.folder, `${name}.cms`);
    writeFileSync(cms, signature);
    const { stdout } = await run`openssl cms -verify -noverify -nosigs -inform DER -in ${cms}`;
    const manifest = Buffer.from(edit(stdout));
    return this.#write(
      name,
      joinParts(payload, await this.#sign(manifest, this.keys, ['-binary', '-nodetach'])),
    );
  }

  async #encrypt(): Promise<string> {
    const plain = await this.pack('to-encrypt', `${goodManifest}[bundle]\nformat=crypt\n`);
    const output = join(this.folder, 'encrypted.raucb');
    const { certificate } = await issueCertificate(this.folder, 'recipient');
    const { keyringPath } = this.keys;
    await run`rauc encrypt --keyring=${keyringPath} --to=${certificate} ${plain} ${output}`;
    return output;
  }

  async #sign(content: Buffer, signer: Signing, options: readonly string[]): Promise<Buffer> {
    const folder = mkdtempSync(join(this.folder, 'sign-'));
    const given = join(folder, 'content');
    const signature = join(folder, 'signature');
    writeFileSync(given, content);
    const { certificatePath, keyPath } = signer;
    await run`openssl cms -sign -nosmimecap -md sha256 ${options} -in ${given} -signer ${certificatePath} -inkey ${keyPath} -outform DER -out ${signature}`;
    return readFileSync(signature);
  }

  /** A folder to be packed, with an image. */
  content(manifest: string | undefined): string {
    const content = mkdtempSync(join(this.folder, 'content-'));
    // Always the same bytes, which hardly compress: a verity bundle needs more than one block of them.
    const noise = Buffer.alloc(16 * 1024);
    for (let index = 0, state = 1; index < noise.length; index += 1) {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      noise.writeUInt8(state >>> 24, index);
    }
    writeFileSync(join(content, 'rootfs.img'), noise);
    if (manifest !== undefined) writeFileSync(join(content, 'manifest.raucm'), manifest);
    return content;
  }

  #folderBundle(): string {
    const path = join(this.folder, 'folder.raucb');
    mkdirSync(path);
    return path;
  }

  #write(name: string, bytes: Buffer): string {
    const path = join(this.folder, `${name}.raucb`);
    writeFileSync(path, bytes);
    return path;
  }
}
