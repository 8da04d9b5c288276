import * as v from 'valibot';
import { command } from '../../system/process/command.ts';
import { isLocalRegistry } from './image-reference.ts';

/** The layers of an image by digest, with their compressed bytes. */
export type Layers = ReadonlyMap<string, number>;

const askMs = 30_000;
/** The names of OCI's image specification for those of uname(1). */
const architectures: Record<string, string> = {
  aarch64: 'arm64',
  x86_64: 'amd64',
  armv7l: 'arm',
  i686: '386',
};

const layersSchema = v.object({ layers: v.array(v.object({ digest: v.string(), size: v.number() })) });
const listSchema = v.object({
  manifests: v.array(
    v.object({ digest: v.string(), platform: v.object({ architecture: v.string(), os: v.string() }) }),
  ),
});

/**
 * Asks the registry; undefined if it does not answer, or answers in an unknown form. `machine` is the kernel's name
 * of the architecture, as `docker info` shows it.
 */
export async function readLayers(
  image: string,
  machine: string,
  signal: AbortSignal,
): Promise<Layers | undefined> {
  const manifest = await readManifest(image, signal);
  const list = v.safeParse(listSchema, manifest);
  if (!list.success) return layersIn(manifest);
  const architecture = architectures[machine] ?? machine;
  const own = list.output.manifests.find(
    ({ platform }) => platform.os === 'linux' && platform.architecture === architecture,
  );
  if (own === undefined) return undefined;
  return layersIn(await readManifest(`${withoutTag(image)}@${own.digest}`, signal));
}

function layersIn(manifest: unknown): Layers | undefined {
  const parsed = v.safeParse(layersSchema, manifest);
  return parsed.success
    ? new Map(parsed.output.layers.map(({ digest, size }) => [digest, size] as const))
    : undefined;
}

async function readManifest(reference: string, signal: AbortSignal): Promise<unknown> {
  const insecure = isLocalRegistry(reference) ? ['--insecure'] : [];
  try {
    const ask = command({ deadlineMs: askMs, signal });
    return JSON.parse((await ask`docker manifest inspect ${insecure} ${reference}`).stdout);
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

function withoutTag(image: string): string {
  const name = image.split('@', 1)[0] ?? image;
  const colon = name.indexOf(':', name.lastIndexOf('/') + 1);
  return colon < 0 ? name : name.slice(0, colon);
}
