import { describe, expect, test } from 'bun:test';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCertificate, splitKeyring } from '../../../shared/packaging/pki/key-folder.ts';
import {
  createKeys,
  dropOldRoots,
  findKeys,
  type KeySet,
  renewSigner,
  rotateKeys,
} from '../../../shared/packaging/pki/keys.ts';
import { Failure } from '../../../shared/system/failure.ts';
import { command } from '../../../shared/system/process/command.ts';
import { tryLock } from '../../../shared/system/process/lock.ts';
import { makeExpiredSigner, makeForeignKeys, makeFutureSigner } from '../../support/servers/certificates.ts';

const run = command({ deadlineMs: 60_000 });

class Desk implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'keys-'));
  readonly keys = join(this.path, '.keys');
  #bundles = 0;

  /** A bundle as small as RAUC takes them, signed by that signer. */
  async signBundle(signer: KeySet, env: Record<string, string> = {}): Promise<string> {
    this.#bundles += 1;
    const content = join(this.path, `content-${this.#bundles}`);
    const bundle = join(this.path, `bundle-${this.#bundles}.raucb`);
    mkdirSync(content);
    writeFileSync(join(content, 'rootfs.img'), Buffer.alloc(8192, this.#bundles));
    writeFileSync(
      join(content, 'manifest.raucm'),
      '[update]\ncompatible=jetson-nano-homie\nversion=1.2.3\n[image.rootfs]\nfilename=rootfs.img\n',
    );
    const { certificatePath, keyPath } = signer;
    await command({
      deadlineMs: 60_000,
      env,
    })`rauc bundle --cert=${certificatePath} --key=${keyPath} ${content} ${bundle}`;
    return bundle;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

function verify(bundle: string, keyringPath: string): Promise<unknown> {
  return run`rauc info --keyring=${keyringPath} ${bundle}`;
}

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof Failure) return error;
  throw new Error(`a Failure was expected, this came: ${String(error)}`);
}

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

function rootsIn(keyringPath: string): number {
  return splitKeyring(readFileSync(keyringPath, 'utf8')).length;
}

describe('createKeys()', () => {
  test('makes a root, a signer and a keyring that rauc signs and verifies with', async () => {
    using desk = new Desk();
    const keys = await createKeys(desk.keys);
    expect(keys).toEqual({
      certificatePath: join(desk.keys, 'signer-1/signer.cert.pem'),
      keyPath: join(desk.keys, 'signer-1/signer.key.pem'),
      keyringPath: join(desk.keys, 'keyring.pem'),
      generation: 1,
    });
    expect(findKeys(desk.keys)).toEqual(keys);
    await verify(await desk.signBundle(keys), keys.keyringPath);
  });

  test('keeps the keys to their owner under any umask and without HOME', async () => {
    for (const umask of ['000', '022', '077']) {
      using desk = new Desk();
      const script = join(desk.path, 'create.ts');
      const module = join(import.meta.dir, '../../../shared/packaging/pki/keys.ts');
      writeFileSync(
        script,
        `import { createKeys } from ${JSON.stringify(module)};\nawait createKeys(${JSON.stringify(desk.keys)});\n`,
      );
      const line = 'umask "$1"; unset HOME; cd "$2"; exec "$3" "$4"';
      await run`sh -c ${line} sh ${umask} ${desk.path} ${process.execPath} ${script}`;
      for (const folder of ['', 'root-1', 'signer-1']) expect(modeOf(join(desk.keys, folder))).toBe('700');
      for (const key of ['root-1/root.key.pem', 'signer-1/signer.key.pem']) {
        expect(modeOf(join(desk.keys, key))).toBe('600');
      }
      for (const open of ['keyring.pem', 'root-1/root.cert.pem', 'signer-1/signer.cert.pem']) {
        expect(modeOf(join(desk.keys, open))).toBe('644');
      }
      expect(readdirSync(join(desk.keys, 'root-1')).sort()).toEqual(['root.cert.pem', 'root.key.pem']);
      expect(readdirSync(join(desk.keys, 'signer-1')).sort()).toEqual(['signer.cert.pem', 'signer.key.pem']);
    }
  });

  test('gives root and signer the rights they need and no more', async () => {
    using desk = new Desk();
    const keys = await createKeys(desk.keys);
    const root = await run`openssl x509 -noout -text -in ${join(desk.keys, 'root-1/root.cert.pem')}`;
    expect(root.stdout).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    expect(root.stdout).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign\n/);
    const signer = await run`openssl x509 -noout -text -in ${keys.certificatePath}`;
    expect(signer.stdout).toMatch(/Basic Constraints: critical\s+CA:FALSE/);
    expect(signer.stdout).toMatch(/ Key Usage: critical\s+Digital Signature\n/);
    expect(signer.stdout).toMatch(/Extended Key Usage:\s+Code Signing, E-mail Protection\n/);
    expect(signer.stdout).toContain('Authority Key Identifier');
    expect(signer.stdout).toContain('NIST CURVE: P-256');
    const serials = [keys.certificatePath, join(desk.keys, 'root-1/root.cert.pem')].map(
      (path) => readCertificate(path).serialNumber,
    );
    expect(new Set(serials).size).toBe(2);
    for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9A-F]{39}$/);
    expect(yearsOf(join(desk.keys, 'root-1/root.cert.pem'))).toBeCloseTo(20, 1);
    expect(yearsOf(keys.certificatePath)).toBeCloseTo(2, 1);
  });

  test('hands devices root certificates only, no key and no signer', async () => {
    using desk = new Desk();
    const { keyringPath } = await createKeys(desk.keys);
    const keyring = readFileSync(keyringPath, 'utf8');
    expect(keyring).toBe(readFileSync(join(desk.keys, 'root-1/root.cert.pem'), 'utf8'));
    expect(keyring).not.toContain('PRIVATE KEY');
  });

  test('refuses and changes nothing when there are keys already', async () => {
    using desk = new Desk();
    const keys = await createKeys(desk.keys);
    const before = contentOf(desk.keys);
    const failure = await failureOf(createKeys(desk.keys));
    expect(failure.message).toBe(`Cannot create keys in "${desk.keys}": there are keys already`);
    expect(failure.outcome).toBe('usage');
    expect(failure.advice).toContain('keys rotate');
    expect(contentOf(desk.keys)).toEqual(before);
    expect(findKeys(desk.keys)).toEqual(keys);
  });

  test('leaves no key behind when openssl fails half-way', async () => {
    using desk = new Desk();
    const fakes = fakeOpenssl(desk.path, 'x509');
    const failure = await failureOf(withPath(fakes, () => createKeys(desk.keys)));
    expect(failure.message).toBe('Cannot make the signer "Homie update signer 1": openssl failed');
    expect(String(failure.cause)).toContain('no entropy today');
    expect(readdirSync(desk.keys)).toEqual(['.lock']);
    expect(findKeys(desk.keys)).toBeUndefined();
    expect((await createKeys(desk.keys)).generation).toBe(1);
  });

  test('finishes with the root that is there when the run before was killed between root and signer', async () => {
    for (const isKeyringThere of [false, true]) {
      using desk = new Desk();
      const made = await createKeys(join(desk.path, 'whole'));
      mkdirSync(desk.keys, { mode: 0o700 });
      cpSync(join(desk.path, 'whole/root-1'), join(desk.keys, 'root-1'), { recursive: true });
      if (isKeyringThere) cpSync(made.keyringPath, join(desk.keys, 'keyring.pem'));
      mkdirSync(join(desk.keys, '.making'));
      writeFileSync(join(desk.keys, '.making/root.key.pem'), 'half a key');
      expect(findKeys(desk.keys)).toBeUndefined();
      const keys = await createKeys(desk.keys);
      expect(readFileSync(keys.keyringPath, 'utf8')).toBe(readFileSync(made.keyringPath, 'utf8'));
      expect(existsSync(join(desk.keys, '.making'))).toBe(false);
      await verify(await desk.signBundle(keys), made.keyringPath);
    }
  });

  test('refuses when another program is changing the keys', async () => {
    using desk = new Desk();
    const lock = tryLock(join(desk.keys, '.lock'), 'another program');
    try {
      expect((await failureOf(createKeys(desk.keys))).outcome).toBe('busy');
      expect(readdirSync(desk.keys)).toEqual(['.lock']);
    } finally {
      if ('release' in lock) lock.release();
    }
  });
});

describe('rotateKeys()', () => {
  test('lets old and new bundles pass, and dropOldRoots() ends the old ones', async () => {
    using desk = new Desk();
    const old = await createKeys(desk.keys);
    const oldBundle = await desk.signBundle(old);
    const oldKeyring = join(desk.path, 'on-a-device.pem');
    cpSync(old.keyringPath, oldKeyring);

    const rotated = await rotateKeys(desk.keys);
    expect(rotated).toEqual({
      certificatePath: join(desk.keys, 'signer-2/signer.cert.pem'),
      keyPath: join(desk.keys, 'signer-2/signer.key.pem'),
      keyringPath: old.keyringPath,
      generation: 2,
    });
    const newBundle = await desk.signBundle(rotated);
    await verify(oldBundle, rotated.keyringPath);
    await verify(newBundle, rotated.keyringPath);
    expect((await failureOf(verify(newBundle, oldKeyring))).message).toContain('rauc');
    expect(rootsIn(rotated.keyringPath)).toBe(2);

    const dropped = await dropOldRoots(desk.keys);
    expect(dropped).toEqual(rotated);
    await verify(newBundle, dropped.keyringPath);
    await failureOf(verify(oldBundle, dropped.keyringPath));
    expect(readdirSync(desk.keys).sort()).toEqual(
      ['.lock', 'keyring.pem', 'root-1', 'root-2', 'signer-1', 'signer-2'].sort(),
    );
  });

  test('keeps findKeys() on the signer that every device trusts until the old root is dropped', async () => {
    using desk = new Desk();
    const old = await createKeys(desk.keys);
    const rotated = await rotateKeys(desk.keys);
    expect(findKeys(desk.keys)).toEqual(old);
    await dropOldRoots(desk.keys);
    expect(findKeys(desk.keys)).toEqual(rotated);
  });

  test('changes no file of the generation before', async () => {
    using desk = new Desk();
    await createKeys(desk.keys);
    const before = contentOf(desk.keys);
    await rotateKeys(desk.keys);
    const after = contentOf(desk.keys);
    for (const path of Object.keys(before).filter((path) => path !== 'keyring.pem')) {
      expect(after[path]).toBe(before[path] ?? 'missing');
    }
    expect(after['keyring.pem']).toStartWith(before['keyring.pem'] ?? 'missing');
  });

  test('leaves the keys as they were when openssl fails, and works the next time', async () => {
    using desk = new Desk();
    const keys = await createKeys(desk.keys);
    const before = contentOf(desk.keys);
    const fakes = fakeOpenssl(desk.path, 'x509');
    await failureOf(withPath(fakes, () => rotateKeys(desk.keys)));
    expect(contentOf(desk.keys)).toEqual(before);
    expect(findKeys(desk.keys)).toEqual(keys);
    expect((await rotateKeys(desk.keys)).generation).toBe(2);
  });

  test('refuses and makes no folder when there are no keys', async () => {
    using desk = new Desk();
    for (const change of [rotateKeys, renewSigner, dropOldRoots]) {
      const failure = await failureOf(change(desk.keys));
      expect(failure.outcome).toBe('usage');
      expect(failure.advice).toContain('keys create');
      expect(existsSync(desk.keys)).toBe(false);
    }
  });
});

test('rotateKeys() refuses when the keyring is lost, for a new one would lock devices out', async () => {
  using desk = new Desk();
  const { keyringPath } = await createKeys(desk.keys);
  rmSync(keyringPath);
  for (const change of [rotateKeys, renewSigner, dropOldRoots]) {
    expect((await failureOf(change(desk.keys))).message).toContain('"keyring.pem" is missing');
    expect(existsSync(keyringPath)).toBe(false);
  }
});

describe('renewSigner()', () => {
  test('makes a signer that devices with the old keyring trust', async () => {
    using desk = new Desk();
    const old = await createKeys(desk.keys);
    const keyring = readFileSync(old.keyringPath, 'utf8');
    const renewed = await renewSigner(desk.keys);
    expect(renewed.generation).toBe(2);
    expect(findKeys(desk.keys)).toEqual(renewed);
    expect(readFileSync(old.keyringPath, 'utf8')).toBe(keyring);
    await verify(await desk.signBundle(renewed), old.keyringPath);
  });

  test('asks for the root when it is kept offline, while signing works without it', async () => {
    using desk = new Desk();
    const keys = await createKeys(desk.keys);
    renameSync(join(desk.keys, 'root-1/root.key.pem'), join(desk.path, 'safe.pem'));
    const failure = await failureOf(renewSigner(desk.keys));
    expect(failure.message).toContain('root.key.pem" is missing');
    rmSync(join(desk.keys, 'root-1'), { recursive: true });
    expect((await failureOf(renewSigner(desk.keys))).advice).toContain('offline');
    expect(findKeys(desk.keys)).toEqual(keys);
  });
});

describe('dropOldRoots()', () => {
  test('is harmless when it is done twice, or before any rotation', async () => {
    using desk = new Desk();
    const keys = await createKeys(desk.keys);
    const before = contentOf(desk.keys);
    expect(await dropOldRoots(desk.keys)).toEqual(keys);
    expect(contentOf(desk.keys)).toEqual(before);
    await rotateKeys(desk.keys);
    await dropOldRoots(desk.keys);
    const dropped = contentOf(desk.keys);
    await dropOldRoots(desk.keys);
    expect(contentOf(desk.keys)).toEqual(dropped);
  });

  test('refuses when the newest root has no signer', async () => {
    using desk = new Desk();
    await createKeys(desk.keys);
    await rotateKeys(desk.keys);
    const before = readFileSync(join(desk.keys, 'keyring.pem'), 'utf8');
    rmSync(join(desk.keys, 'signer-2'), { recursive: true });
    expect((await failureOf(dropOldRoots(desk.keys))).advice).toContain('keys rotate');
    expect(readFileSync(join(desk.keys, 'keyring.pem'), 'utf8')).toBe(before);
    expect((await rotateKeys(desk.keys)).generation).toBe(2);
    expect(rootsIn(join(desk.keys, 'keyring.pem'))).toBe(2);
    await dropOldRoots(desk.keys);
  });
});

describe('findKeys()', () => {
  test('answers with nothing when there is no folder', () => {
    expect(findKeys('/nonexistent/keys')).toBeUndefined();
  });

  const damages: [what: string, damage: (folder: string) => void, message: string][] = [
    ['the keyring is missing', (folder) => rmSync(join(folder, 'keyring.pem')), '"keyring.pem" is missing'],
    [
      'the keyring holds no certificate',
      (folder) => writeFileSync(join(folder, 'keyring.pem'), ''),
      '"keyring.pem" is missing or empty',
    ],
    [
      'the signer certificate is damaged',
      (folder) =>
        writeFileSync(
          join(folder, 'signer-1/signer.cert.pem'),
          '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
        ),
      'it is none',
    ],
    [
      'the signer key is missing',
      (folder) => rmSync(join(folder, 'signer-1/signer.key.pem')),
      'signer.key.pem" is missing',
    ],
  ];
  test.each(damages)('names what is wrong when %s', async (_what, damage, message) => {
    using desk = new Desk();
    await createKeys(desk.keys);
    damage(desk.keys);
    expect(() => findKeys(desk.keys)).toThrow(Failure);
    expect(() => findKeys(desk.keys)).toThrow(message);
  });

  test('refuses a foreign signer with the same names', async () => {
    using desk = new Desk();
    await createKeys(desk.keys);
    const foreign = await makeForeignKeys(join(desk.path, 'foreign'));
    cpSync(foreign.certificatePath, join(desk.keys, 'signer-1/signer.cert.pem'));
    expect(() => findKeys(desk.keys)).toThrow('no signer in it is under the oldest root');
  });

  test('refuses an expired signer with its end, and takes the one that renewSigner() makes', async () => {
    using desk = new Desk();
    const keys = await createKeys(desk.keys);
    const expired = await makeExpiredSigner(join(desk.path, 'expired'), keys);
    cpSync(expired.certificatePath, keys.certificatePath);
    cpSync(expired.keyPath, keys.keyPath);
    expect(() => findKeys(desk.keys)).toThrow('signer 1 was good until Dec 31 23:59:59 2001 GMT');
    const renewed = await renewSigner(desk.keys);
    expect(findKeys(desk.keys)).toEqual(renewed);
  });
});

describe('rauc', () => {
  test('takes the signer for its default purpose and for codesign', async () => {
    using desk = new Desk();
    const keys = await createKeys(desk.keys);
    const bundle = await desk.signBundle(keys);
    for (const purpose of ['', 'check-purpose=smimesign', 'check-purpose=codesign']) {
      const config = join(desk.path, 'system.conf');
      writeFileSync(
        config,
        `[system]\ncompatible=jetson-nano-homie\nbootloader=uboot\n[keyring]\npath=${keys.keyringPath}\n${purpose}\n`,
      );
      const { stderr } = await run`rauc -c ${config} info ${bundle}`;
      expect(stderr).toContain('Verified detached signature by');
    }
  });

  const strangers: [who: string, make: (folder: string, keys: KeySet) => Promise<KeySet>, words: string][] = [
    ['expired', makeExpiredSigner, 'certificate has expired'],
    ['not valid yet', makeFutureSigner, 'certificate is not yet valid'],
    ['under a foreign root', makeForeignKeys, 'unable to get local issuer certificate'],
  ];
  test.each(strangers)('refuses a bundle when its signer is %s', async (_who, make, words) => {
    using desk = new Desk();
    const keys = await createKeys(desk.keys);
    const stranger = await make(join(desk.path, 'stranger'), keys);
    const bundle = await desk.signBundle(stranger);
    const failure = await failureOf(verify(bundle, keys.keyringPath));
    expect(failure).toHaveProperty('exitCode', 1);
    expect(failure).toHaveProperty('stderr', expect.stringContaining(words));
  });

  test('signs with a key that is protected by a passphrase, and not with the wrong one', async () => {
    using desk = new Desk();
    const keys = await createKeys(desk.keys);
    const keyPath = join(desk.path, 'protected.pem');
    await run`openssl pkcs8 -topk8 -v2 aes-256-cbc -in ${keys.keyPath} -out ${keyPath} -passout pass:${'open sesame'}`;
    chmodSync(keyPath, 0o600);
    expect(readFileSync(keyPath, 'utf8')).toContain('ENCRYPTED PRIVATE KEY');
    const signer = { ...keys, keyPath };
    await verify(await desk.signBundle(signer, { RAUC_KEY_PASSPHRASE: 'open sesame' }), keys.keyringPath);
    await failureOf(desk.signBundle(signer, { RAUC_KEY_PASSPHRASE: 'open barley' }));
  });
});

function yearsOf(certificatePath: string): number {
  const { validFrom, validTo } = readCertificate(certificatePath);
  return (Date.parse(validTo) - Date.parse(validFrom)) / (365.25 * 24 * 3600 * 1000);
}

/** Every file except the lock, which is empty when it is free. */
function contentOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return Object.fromEntries(
    files
      .filter((name) => statSync(join(folder, name)).isFile() && name !== '.lock')
      .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  );
}

/** The real openssl but for one of its commands. */
function fakeOpenssl(folder: string, failing: string): string {
  const fakes = join(folder, 'fakes');
  mkdirSync(fakes);
  symlinkSync('/usr/bin/openssl', join(fakes, 'openssl-real'));
  writeFileSync(
    join(fakes, 'openssl'),
    `#!/bin/sh\n[ "$1" = ${failing} ] && { echo 'no entropy today' >&2; exit 1; }\nexec openssl-real "$@"\n`,
    { mode: 0o755 },
  );
  return fakes;
}

async function withPath<T>(first: string, work: () => Promise<T>): Promise<T> {
  const path = process.env['PATH'] ?? '';
  process.env['PATH'] = `${first}:${path}`;
  try {
    return await work();
  } finally {
    process.env['PATH'] = path;
  }
}
