import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findTool, usualPath } from '../../../shared/packaging/device/host.ts';
import { Failure } from '../../../shared/system/failure.ts';
import { endsWithUs } from '../../support/ends-with-us.ts';
import { freePort } from './free-port.ts';
import { waitFor } from './wait-for.ts';

export interface RegistryOptions {
  /** Made where it is not there, and removed with the registry. */
  folder: string;
  port?: number;
  /** A folder whose images it begins with: what `stackImages` answers. It is copied, and so stays as it is. */
  images?: string;
}

/** A real registry on 127.0.0.1, plain HTTP. It ends with this process, however that ends. */
export async function startRegistry(options: RegistryOptions): Promise<Registry> {
  if (findTool('docker-registry') === undefined)
    throw new Failure('Cannot start a registry: "docker-registry" is not on this system', {
      advice: 'Install it (Debian: docker-registry)',
    });
  const registry = new Registry(options.folder, options.port ?? freePort());
  try {
    mkdirSync(registry.storage, { recursive: true });
    if (options.images !== undefined) cpSync(options.images, registry.storage, { recursive: true });
    await registry.start();
    return registry;
  } catch (error) {
    await registry[Symbol.asyncDispose]();
    throw error;
  }
}

export class Registry implements AsyncDisposable {
  readonly folder: string;
  readonly storage: string;
  readonly port: number;
  /** The first part of an image's name. */
  readonly name: string;
  #child: Bun.Subprocess | undefined;

  constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
    this.storage = join(folder, 'images');
    this.name = `127.0.0.1:${port}`;
  }

  async start(): Promise<void> {
    const config = join(this.folder, 'config.json');
    writeFileSync(config, JSON.stringify(this.#config()));
    const child = Bun.spawn({
      cmd: [...endsWithUs, 'docker-registry', 'serve', config],
      env: { PATH: usualPath },
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: Bun.file(join(this.folder, 'log')),
    });
    child.unref();
    this.#child = child;
    await waitFor('the registry to answer', async () => {
      if (child.exitCode !== null)
        throw new Failure(`Cannot start a registry on port ${this.port}: it ended with ${child.exitCode}`);
      const answer = await fetch(`http://${this.name}/v2/`).catch(() => undefined);
      return answer?.ok;
    });
  }

  /** Down: connections are refused. `start` brings it back on the same port with the same images. */
  async stop(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#child?.exited;
    this.#child = undefined;
  }

  /** As if it had never been pushed. */
  removeTag(image: string, tag: string): void {
    const path = join(this.storage, 'docker/registry/v2/repositories', image, '_manifests/tags', tag);
    rmSync(path, { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #config(): unknown {
    return {
      version: '0.1',
      log: { level: 'error', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: this.storage } },
      http: { addr: this.name },
    };
  }
}
