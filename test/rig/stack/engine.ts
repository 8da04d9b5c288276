import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findTool, usualPath } from '../../../shared/packaging/device/host.ts';
import { deviceMark } from '../../../shared/packaging/device/processes.ts';
import { claimFolder } from '../../../shared/packaging/device/requirements.ts';
import { Failure } from '../../../shared/system/failure.ts';
import { type CommandOptions, type CommandResult, command } from '../../../shared/system/process/command.ts';
import { engineCommand } from './engine-command.ts';
import { claimPlace, type EnginePlace, leavePlace } from './engine-place.ts';
import { clearTraces, cutPower } from './engine-traces.ts';
import { waitFor } from './wait-for.ts';

export interface EngineOptions {
  /** An empty folder, or none yet; it is removed with the engine. */
  folder: string;
  /** Where images and containers are kept, where it is to outlive the engine: a device's /data/docker. */
  dataRoot?: string;
  signal?: AbortSignal | undefined;
}

const dockerMs = 120_000;
const stopMs = 40_000;
const packageOfTool = { dockerd: 'docker.io', tini: 'tini', ip: 'iproute2', unshare: 'util-linux' };

/**
 * A real Docker engine of its own, in a folder: a Unix socket, no TCP, no packet filter rules, no way out to the
 * internet. Published ports are those of this machine's 127.0.0.1. Volumes below a mount work where that mount was
 * there first, and keep it busy as long as the engine runs. Needs root.
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  for (const [tool, debianPackage] of Object.entries(packageOfTool))
    if (findTool(tool) === undefined)
      throw new Failure(`Cannot start an engine: "${tool}" is not on this system`, {
        advice: `Install it (Debian: ${debianPackage})`,
      });
  const place = await claimPlace(claimFolder(options.folder));
  const engine = new Engine(place, options);
  try {
    await engine.start();
    return engine;
  } catch (error) {
    await engine[Symbol.asyncDispose]();
    throw error;
  }
}

export class Engine implements AsyncDisposable {
  readonly folder: string;
  readonly dataRoot: string;
  /** For docker and docker-compose. */
  readonly environment: Readonly<Record<string, string>>;
  readonly place: EnginePlace;
  readonly #socket: string;
  readonly #signal: AbortSignal | undefined;
  #namespace: Bun.Subprocess | undefined;

  constructor(place: EnginePlace, { dataRoot, signal }: EngineOptions) {
    const { folder } = place;
    this.place = place;
    this.folder = folder;
    this.dataRoot = dataRoot ?? join(folder, 'docker');
    this.#socket = join(folder, 'socket');
    this.#signal = signal;
    this.environment = {
      DOCKER_HOST: `unix://${this.#socket}`,
      DOCKER_CONFIG: join(folder, 'client'),
      DOCKER_BUILDKIT: '0',
    };
  }

  /** After `stop` or `cutPower`: containers come back as their restart policy says. */
  async start(): Promise<void> {
    mkdirSync(join(this.folder, 'client'), { recursive: true });
    mkdirSync(this.dataRoot, { recursive: true });
    rmSync(this.#socket, { force: true });
    const namespace = this.#spawn();
    this.#namespace = namespace;
    await waitFor(
      'the engine to answer',
      async () => {
        if (namespace.exitCode !== null || namespace.signalCode !== null) throw this.#notStarted();
        const answer = await fetch('http://docker/_ping', { unix: this.#socket }).catch(() => undefined);
        return answer?.ok;
      },
      { signal: this.#signal },
    );
  }

  docker(args: readonly string[], options: Partial<CommandOptions> = {}): Promise<CommandResult> {
    const env = { ...this.environment, ...options.env };
    return command({ deadlineMs: dockerMs, signal: this.#signal, ...options, env })`docker ${args}`;
  }

  /** An orderly end: containers are stopped first, and not marked as stopped by hand. */
  async stop(): Promise<void> {
    const namespace = this.#namespace;
    if (namespace === undefined || namespace.exitCode !== null) return await this.cutPower();
    const children = readFileSync(`/proc/${namespace.pid}/task/${namespace.pid}/children`, 'utf8');
    const init = Number(children.trim());
    // 0 would be our own process group.
    if (!(init > 1)) throw new Failure(`Cannot stop the engine in "${this.folder}": it has no process`);
    process.kill(init, 'SIGTERM');
    await waitFor('the engine to end', () => namespace.exitCode !== null, { deadlineMs: stopMs });
    await this.cutPower();
  }

  /** Kills all of it at once, at any point of its work. */
  async cutPower(): Promise<void> {
    this.#namespace?.kill('SIGKILL');
    this.#namespace = undefined;
    await cutPower(this.place);
  }

  /** Takes everything off this machine, the folder too. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#namespace?.kill('SIGKILL');
    this.#namespace = undefined;
    await clearTraces(this.place);
    await leavePlace(this.place);
  }

  #spawn(): Bun.Subprocess {
    const log = openSync(join(this.folder, 'log'), 'a');
    try {
      const child = Bun.spawn({
        cmd: engineCommand(this.place, this.dataRoot, this.#socket),
        cwd: '/',
        env: { PATH: usualPath, [deviceMark]: this.folder },
        detached: true,
        stdin: 'ignore',
        stdout: log,
        stderr: log,
      });
      child.unref();
      return child;
    } finally {
      closeSync(log);
    }
  }

  #notStarted(): Failure {
    const last = readFileSync(join(this.folder, 'log'), 'utf8').trim().split('\n').at(-1) ?? '';
    return new Failure(`Cannot start an engine in "${this.folder}": it has ended (${last})`);
  }
}
