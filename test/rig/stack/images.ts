import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { project } from '../../../shared/packaging/project.ts';
import { oneAtATime } from '../../support/build/one-at-a-time.ts';
import { baseRoot, type ForeignArchitecture, fingerprintOf } from './base-root.ts';
import { type Engine, startEngine } from './engine.ts';
import { loadForeignBase } from './foreign-base.ts';
import { startRegistry } from './registry.ts';
import { releaseNames, releases, schemaOf, writeRevisions } from './releases.ts';

const sources = join(import.meta.dir, 'images');
const prefix = 'homie';
const path = '/usr/lib/postgresql/15/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** An image's name in a registry: `imageName('127.0.0.1:5000', 'postgres', '15')`. */
export function imageName(registry: string, image: string, tag: string): string {
  return `${registry}/${prefix}/${image}:${tag}`;
}

/**
 * A folder with all images of all releases, as a registry stores them, for `startRegistry({ images })`. Built and
 * pushed once, then taken from the cache.
 */
export async function stackImages(signal?: AbortSignal, architecture?: ForeignArchitecture): Promise<string> {
  const made = Bun.hash(JSON.stringify([path, releases, architecture])).toString(16);
  const images = join(project.cache, 'stack', `images-${fingerprintOf(sources)}-${made}`);
  if (existsSync(images)) return images;
  await oneAtATime({ what: 'the images of the stack' }, async () => {
    if (!existsSync(images)) await makeImages(images, signal, architecture);
  });
  return images;
}

async function makeImages(
  images: string,
  signal?: AbortSignal,
  architecture?: ForeignArchitecture,
): Promise<void> {
  const base = await baseRoot(signal, architecture);
  const work = mkdtempSync(join(project.cache, 'stack', 'images-'));
  try {
    await using engine = await startEngine({ folder: join(work, 'engine'), signal });
    await using registry = await startRegistry({ folder: join(work, 'registry') });
    // What is built upon it is for the same machine: nothing is run for it.
    if (architecture === undefined)
      await engine.docker(['import', `--change=ENV PATH=${path}`, base, 'homie-base']);
    else await loadForeignBase(engine, join(work, 'base'), { layer: base, architecture, path });
    for (const build of builds()) await buildAndPush(engine, registry.name, build, join(work, 'context'));
    await registry.stop();
    renameSync(registry.storage, images);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

interface Build {
  image: string;
  tag: string;
  arguments?: string[];
  prepare?: (context: string) => void;
}

function builds(): Build[] {
  return [
    { image: 'postgres', tag: '15' },
    { image: 'redis', tag: '7' },
    ...releaseNames.flatMap((release): Build[] => [
      { image: 'homie_core', tag: release, arguments: [`--build-arg=SCHEMA=${schemaOf(release)}`] },
      {
        image: 'orchestrator',
        tag: release,
        prepare: (context) =>
          writeRevisions(release, join(sources, 'orchestrator/revisions'), join(context, 'app/revisions')),
      },
    ]),
  ];
}

async function buildAndPush(engine: Engine, registry: string, build: Build, context: string): Promise<void> {
  const { image, tag, arguments: extra = [], prepare } = build;
  const name = imageName(registry, image, tag);
  mkdirSync(context);
  try {
    cpSync(join(sources, image), context, { recursive: true });
    prepare?.(context);
    await engine.docker(['build', '--quiet', `--tag=${name}`, ...extra, context]);
    await engine.docker(['push', '--quiet', name]);
  } finally {
    rmSync(context, { recursive: true });
  }
}
