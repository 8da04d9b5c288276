import { expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createArchive } from '../../../shared/data/archive/archive.ts';
import { Content, readSmall } from '../../../shared/data/archive/archive-content.ts';
import { type LeftOut, walkTree } from '../../../shared/data/archive/tree-walk.ts';
import { Failure } from '../../../shared/system/failure.ts';
import { mayMount } from '../../support/privileges.ts';
import { until } from '../../support/until.ts';
import { openDescriptorsBelow, run, temporaryFolder, verify } from './archive-tree.ts';

/** The Failure that the work ends in. Anything else fails the test. */
async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error: unknown = await work.then(
    () => new Error('it did not fail'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof Failure) return error;
  throw error;
}

test.each([
  ['it is missing', 'none', 'x.tar.zst', undefined, 'Cannot back up "none": no such file or folder'],
  ['it is a file', 'file', 'x.tar.zst', undefined, 'Cannot back up "file": it is not a folder'],
  [
    'its name has a slash',
    'in',
    'x.tar.zst',
    'a/b',
    'Cannot back up "in": "a/b" cannot be its name in the archive',
  ],
  ['its name is ..', 'in', 'x.tar.zst', '..', 'Cannot back up "in": ".." cannot be its name in the archive'],
  [
    'the target is inside',
    'in',
    'in/x',
    undefined,
    'Cannot back up "in": the archive "in/x" would lie inside it',
  ],
  [
    'a link leads inside',
    'in',
    'link/x',
    undefined,
    'Cannot back up "in": the archive "link/x" would lie inside it',
  ],
  [
    'the target is a folder',
    'in',
    'out',
    undefined,
    'Cannot back up "in": "out" is a folder, not an archive',
  ],
  ['no folder for it', 'in', 'no/x', undefined, 'Cannot write the backup "no/x": no such file or folder'],
])('createArchive() refuses a folder when %s', async (_when, folder, target, rootName, message) => {
  using temporary = temporaryFolder();
  const at = (name: string): string => join(temporary.path, name);
  mkdirSync(at('in'));
  mkdirSync(at('out'));
  symlinkSync('in', at('link'));
  writeFileSync(at('file'), '');
  const options = { folder: at(folder), target: at(target), ...(rootName === undefined ? {} : { rootName }) };

  const failure = await failureOf(createArchive(options));

  expect(failure.message.replaceAll(`${temporary.path}/`, '')).toBe(message);
  expect(readdirSync(temporary.path).sort()).toEqual(['file', 'in', 'link', 'out']);
  expect(readdirSync(at('in'))).toEqual([]);
});

test('createArchive() keeps nothing and names the file when it shrank while it was read', async () => {
  using temporary = temporaryFolder();
  // sysfs says 4096 bytes of every file, and has fewer.
  const folder = '/sys/devices/system/cpu/cpu0/topology';
  const failure = await failureOf(createArchive({ folder, target: join(temporary.path, 'x.tar.zst') }));
  expect(failure.message).toMatch(
    /^Cannot back up "\/sys\/.+\/topology\/.+": it shrank while it was being backed up$/,
  );
  expect(readdirSync(temporary.path)).toEqual([]);
  expect(openDescriptorsBelow(temporary.path)).toEqual([]);
});

test('Content.pieces() ends in a failure that names the file when a large one is cut', async () => {
  using temporary = temporaryFolder();
  const path = join(temporary.path, 'database');
  writeFileSync(path, Buffer.alloc(2_000_000));
  const content = await Content.open(path);
  const pieces = content.pieces();
  expect((await pieces.next()).value?.length).toBe(512 * 1024);
  truncateSync(path, 600_000);
  await pieces.next();
  const failure = await failureOf(pieces.next());
  expect(failure.message).toBe(`Cannot back up "${path}": it shrank while it was being backed up`);
  await content.close();
});

test('walkTree() passes over a file or a folder that vanished since it was listed', () => {
  using temporary = temporaryFolder();
  for (const name of ['a', 'b', 'd']) writeFileSync(join(temporary.path, name), '');
  mkdirSync(join(temporary.path, 'c'));
  const leftOut: LeftOut[] = [];
  const walk = walkTree(temporary.path, 'x', (left) => leftOut.push(left));
  const next = (): string => walk.next().value?.name ?? 'none';
  expect([next(), next()]).toEqual(['x', 'x/a']);
  rmSync(join(temporary.path, 'b'));
  expect(next()).toBe('x/c');
  rmSync(join(temporary.path, 'c'), { recursive: true });
  expect([next(), next()]).toEqual(['x/d', 'none']);
  expect(leftOut).toEqual([
    { path: 'x/b', kind: 'vanished' },
    { path: 'x/c', kind: 'vanished' },
  ]);
});

test('walkTree() fails when the folder itself vanished', () => {
  using temporary = temporaryFolder();
  const folder = join(temporary.path, 'none');
  expect(() => walkTree(folder, 'x', () => undefined).next()).toThrow(
    `Cannot back up "${folder}": it vanished`,
  );
});

test('createArchive() is not refused by temporary files that come and go', async () => {
  using temporary = temporaryFolder();
  const folder = join(temporary.path, 'in');
  mkdirSync(folder);
  writeFileSync(join(folder, 'a'), randomBytes(1024 * 1024));
  for (let number = 0; number < 300; number += 1) writeFileSync(join(folder, `t${number}`), 'x');
  let number = 0;
  const removing = setInterval(() => {
    for (let count = 0; count < 20; count += 1, number += 1)
      rmSync(join(folder, `t${299 - number}`), { force: true });
  }, 1);
  try {
    const { path } = await createArchive({ folder, target: join(temporary.path, 'x.tar.zst') });
    await run`tar --zstd -tf ${path}`;
  } finally {
    clearInterval(removing);
  }
});

test('a file has vanished or is no longer a file when it is opened', async () => {
  using temporary = temporaryFolder();
  const path = join(temporary.path, 'b');
  writeFileSync(join(temporary.path, 'a'), '');
  writeFileSync(path, '');
  rmSync(path);
  const vanished = `Cannot back up "${path}": it vanished while it was being backed up`;
  expect(() => readSmall(path, 0n)).toThrow(vanished);
  expect((await failureOf(Content.open(path))).message).toBe(vanished);

  await run`mkfifo ${path}`;
  expect(() => readSmall(path, 0n)).toThrow(`Cannot back up "${path}": it is no longer a file`);
  rmSync(path);
  symlinkSync('/etc/passwd', path);
  expect(() => readSmall(path, 0n)).toThrow(`Cannot back up "${path}": too many symbolic links`);
});

test.skipIf(!mayMount)(
  'createArchive() says how much it wrote and leaves nothing when the disk is full',
  async () => {
    using temporary = temporaryFolder();
    const folder = join(temporary.path, 'in');
    const small = join(temporary.path, 'small');
    mkdirSync(folder);
    mkdirSync(small);
    writeFileSync(join(folder, 'a'), randomBytes(8_000_000));
    await run`mount -t tmpfs -o size=1m none ${small}`;
    try {
      const failure = await failureOf(createArchive({ folder, target: join(small, 'x.tar.zst') }));
      expect(failure.outcome).toBe('noSpace');
      expect(failure.message).toBe(
        `Cannot write the backup "${small}/x.tar.zst": no space left on the device after 1.0 MiB`,
      );
      expect(readdirSync(small)).toEqual([]);
      expect(openDescriptorsBelow(temporary.path)).toEqual([]);
    } finally {
      await run`umount ${small}`;
    }
  },
);

test('createArchive() keeps the older archive of that name when the new one fails', async () => {
  using temporary = temporaryFolder();
  const folder = join(temporary.path, 'in');
  const target = join(temporary.path, 'x.tar.zst');
  mkdirSync(folder);
  await createArchive({ folder, target });
  const older = readFileSync(target);
  await failureOf(createArchive({ folder, target, signal: AbortSignal.abort() }));
  expect(readFileSync(target)).toEqual(older);
  await verify(target, 'in');
  expect(readdirSync(temporary.path).sort()).toEqual(['in', 'x.tar.zst', 'x.tar.zst.sha256']);
});

/** Holds a write lease on the file: who opens it waits until the kernel breaks the lease, 45 seconds long. */
const leaseHolder = `
  use Fcntl; $| = 1; open(F, '+<', $ARGV[0]) or die; $SIG{IO} = sub { print "asked\\n" };
  fcntl(F, 1024, F_WRLCK) or die "lease: $!"; print "held\\n"; sleep 60 while 1;`;

test.each([
  ['there is no progress for stallMs', 'no progress for 0.4 s'],
  ['it is stopped in the middle', 'the program was stopped'],
])('createArchive() stops and leaves nothing when %s', async (_when, reason) => {
  using temporary = temporaryFolder();
  const folder = join(temporary.path, 'in');
  const out = join(temporary.path, 'out');
  mkdirSync(folder);
  mkdirSync(out);
  writeFileSync(join(folder, 'a'), randomBytes(2_000_000));
  writeFileSync(join(folder, 'b'), randomBytes(100_000));
  const holder = Bun.spawn(['perl', '-e', leaseHolder, join(folder, 'b')], {
    stdout: 'pipe',
    stdin: 'ignore',
  });
  try {
    const said = holder.stdout.getReader();
    await said.read();
    const ending = new AbortController();
    const isStall = reason.startsWith('no progress');
    const work = failureOf(
      createArchive({
        folder,
        target: join(out, 'x.tar.zst'),
        signal: ending.signal,
        stallMs: isStall ? 400 : 60_000,
      }),
    );
    expect(new TextDecoder().decode((await said.read()).value)).toBe('asked\n');
    if (!isStall) ending.abort();
    expect((await work).message).toBe(`Cannot back up "${folder}": ${reason}`);
    expect(readdirSync(out)).toEqual([]);
    expect(openDescriptorsBelow(out)).toEqual([]);
  } finally {
    holder.kill('SIGKILL');
    await holder.exited;
  }
  // The late open is closed by itself.
  await until(() => openDescriptorsBelow(temporary.path).length === 0);
});
