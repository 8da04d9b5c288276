import { Failure, reasonOf } from '../../system/failure.ts';
import { command } from '../../system/process/command.ts';

/** The Docker engine, as it describes itself. */
export interface Engine {
  /** The folder where the engine stores images. */
  rootFolder: string;
  /** The kernel's name of the architecture: `aarch64`. */
  machine: string;
}

const askMs = 30_000;

export async function askEngine(signal: AbortSignal): Promise<Engine> {
  const ask = command({ deadlineMs: askMs, signal });
  try {
    const { stdout } = await ask`docker info ${'--format={{.DockerRootDir}}|{{.Architecture}}'}`;
    const [rootFolder = '', machine = ''] = stdout.trim().split('|');
    if (rootFolder === '') throw new Failure('it does not report where its images are stored');
    return { rootFolder, machine };
  } catch (error) {
    signal.throwIfAborted();
    throw new Failure(`Cannot ask the Docker engine: ${reasonOf(error)}`, {
      cause: error,
      outcome: 'tryLater',
      advice: 'See "systemctl status docker"',
    });
  }
}

/** The image's id, the same for all its names; undefined if the engine does not have the image. */
export async function imageId(image: string, signal: AbortSignal): Promise<string | undefined> {
  const ask = command({ deadlineMs: askMs, signal, accept: [1] });
  const { exitCode, stdout, stderr } = await ask`docker image inspect ${'--format={{.Id}}'} ${image}`;
  if (exitCode === 0) return stdout.trim();
  if (/no such image/i.test(stderr)) return undefined;
  throw new Failure(`Cannot look for image "${image}": ${stderr.trim()}`, { outcome: 'tryLater' });
}

export interface LocalImage {
  /** The name by which it can be removed. */
  reference: string;
  repository: string;
  id: string;
  digest: string | undefined;
}

/** Every name of every image; an image that has lost its name to a newer one is named by its digest. */
export async function listImages(signal: AbortSignal): Promise<LocalImage[]> {
  const format = '--format={{.Repository}}|{{.Tag}}|{{.Digest}}|{{.ID}}';
  const ask = command({ deadlineMs: askMs, signal });
  const { stdout } = await ask`docker image ls --no-trunc --digests ${format}`;
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line): LocalImage[] => {
      const [repository = '', tag = none, digest = none, id = ''] = line.split('|');
      if (repository === none || (tag === none && digest === none)) return [];
      const reference = tag === none ? `${repository}@${digest}` : `${repository}:${tag}`;
      return [{ reference, repository, id, digest: digest === none ? undefined : digest }];
    });
}

const none = '<none>';
