import { describe, expect, test } from 'bun:test';
import { findImageFiles, needsOf } from '../../../shared/stack/images/image-load.ts';
import { isLocalRegistry, parseReference } from '../../../shared/stack/images/image-reference.ts';
import { neededBytes, noNeeds, requireSpace } from '../../../shared/stack/images/image-space.ts';
import { failureOf } from '../../support/failure-of.ts';
import { TempFolder } from '../../support/temp-folder.ts';

const digest = `sha256:${'a'.repeat(64)}`;

describe('parseReference()', () => {
  test.each([
    ['redis', 'redis', 'latest', undefined],
    ['docker.io/library/redis:7', 'redis', '7', undefined],
    ['homie/core:1.0', 'homie/core', '1.0', undefined],
    ['registry:5000/homie/core', 'registry:5000/homie/core', 'latest', undefined],
    ['registry:5000/homie/core:1.0', 'registry:5000/homie/core', '1.0', undefined],
    [`registry:5000/homie/core@${digest}`, 'registry:5000/homie/core', undefined, digest],
    [`registry:5000/homie/core:1.0@${digest}`, 'registry:5000/homie/core', '1.0', digest],
  ])('when it is %j', (reference, repository, tag, itsDigest) => {
    expect(parseReference(reference)).toEqual({ repository, tag, digest: itsDigest });
  });
});

describe('isLocalRegistry()', () => {
  test.each([
    ['127.0.0.1:5000/a:1', true],
    ['localhost:5000/a', true],
    ['localhost/a', true],
    ['localhosting.example/a', false],
    ['redis:7', false],
    ['10.0.0.1:5000/a', false],
  ])('when it is %j: %j', (reference, is) => {
    expect(isLocalRegistry(reference)).toBe(is);
  });
});

describe('neededBytes()', () => {
  test.each([
    [noNeeds, 64],
    [{ ...noNeeds, layerBytes: 100 }, 364],
    [{ ...noNeeds, unknownImages: 2 }, 192],
    [{ ...noNeeds, tarBytes: 100, compressedTarBytes: 10 }, 314],
  ])('when the needs are %j', (needs, bytes) => {
    expect(neededBytes(needs, 64)).toBe(bytes);
  });
});

describe('requireSpace()', () => {
  test('is content when there is just enough', () => {
    expect(() => requireSpace('/data/docker', 1_000, 1_000)).not.toThrow();
  });

  test('says how much is missing, and where, when there is not', async () => {
    const failure = await failureOf(() => requireSpace('/data/docker', 1024 * 1024, 3 * 1024 * 1024));
    expect(failure.outcome).toBe('noSpace');
    expect(failure.message).toBe(
      'Cannot fetch the images of the new version: 2.0 MiB are missing on "/data/docker" (needs 3.0 MiB, free are 1.0 MiB)',
    );
  });
});

describe('findImageFiles()', () => {
  test('takes what docker save writes, in order, and nothing else', () => {
    using folder = new TempFolder();
    for (const name of ['b.tar', 'a.tar.zst', 'c.tar.gz', 'README.md', '.d.tar', 'e.tar.part'])
      folder.write(name, '12345');
    const files = findImageFiles(folder.path);
    expect(files).toEqual(['a.tar.zst', 'b.tar', 'c.tar.gz'].map((name) => folder.at(name)));
    expect(needsOf(files)).toEqual({ tarBytes: 5, compressedTarBytes: 10 });
  });

  test('finds none when there is no such folder', () => {
    expect(findImageFiles('/nowhere/images')).toEqual([]);
    expect(findImageFiles(undefined)).toEqual([]);
  });
});
