import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { Failure, reasonOf } from '../system/failure.ts';
import {
  CommandFailure,
  type CommandOptions,
  type CommandResult,
  command,
} from '../system/process/command.ts';
import { calling } from './compose-call.ts';
import { type ComposeConfig, readComposeConfig, type Service } from './compose-config.ts';
import { describeCompose } from './compose-description.ts';
import { projectOf } from './compose-tool.ts';
import { type Container, readContainers } from './container.ts';
import { readLogTail } from './service-log.ts';

export type ComposeLimits = Pick<CommandOptions, 'signal'> & { deadlineMs?: number };

type CallLimits = ComposeLimits & Pick<CommandOptions, 'accept' | 'onLine'>;

export type ComposeRun = CallLimits & {
  /** The container's name, by which it can be removed. */
  name?: string;
};

export type ComposeExec = CallLimits & {
  /** A file on the host that gets the output byte for byte; it is emptied first. */
  stdoutTo?: string;
  /** A file on the host that the command reads; without it the command reads nothing. */
  stdinFrom?: string;
};

const usualMs = 120_000;

/**
 * Finds the stack of a compose file, under the project name that `docker-compose up` in the file's folder uses; or,
 * with `within`, under the project and folder of that running stack. Throws a Failure if the file or Docker Compose
 * cannot be used.
 */
export async function findCompose(file: string, signal?: AbortSignal, within?: Compose): Promise<Compose> {
  const folder = dirname(within?.file ?? file);
  if (!existsSync(file)) throw new Failure(`Cannot use the compose file "${file}": no such file`);
  const { words, config } = await describeCompose(file, folder, signal);
  const { project, services } = parseConfig(file, config);
  const name = within?.project ?? project ?? projectOf(folder);
  return new Compose(file, name, services, [...words, `--project-name=${name}`], signal);
}

function parseConfig(file: string, text: string): ComposeConfig {
  try {
    return readComposeConfig(text, process.env['COMPOSE_PROFILES']?.split(','));
  } catch (error) {
    throw new Failure(`Cannot use the compose file "${file}": ${reasonOf(error)}`, { cause: error });
  }
}

export class Compose {
  readonly file: string;
  readonly project: string;
  readonly #services: readonly Service[];
  readonly #words: readonly string[];
  readonly #signal: AbortSignal | undefined;
  /** The container's id of each service that was found running. */
  readonly #running = new Map<string, string>();

  constructor(
    file: string,
    project: string,
    services: readonly Service[],
    words: readonly string[],
    signal: AbortSignal | undefined,
  ) {
    this.file = file;
    this.project = project;
    this.#services = services;
    this.#words = words;
    this.#signal = signal;
  }

  services(): readonly Service[] {
    return this.#services;
  }

  /** The containers of the services, stopped ones too, without those of `run`. */
  containers({ signal = this.#signal }: ComposeLimits = {}): Promise<Container[]> {
    return readContainers(this.project, signal);
  }

  /** Starts the services, or all if none is named; does not wait until they are healthy. */
  async up(services: readonly string[], options: ComposeLimits & { noDeps?: boolean } = {}): Promise<void> {
    const flags = options.noDeps === true ? ['--no-deps'] : [];
    await this.#command(
      `start ${namesOf(services)}`,
      options,
    )`${this.#words} up --detach ${flags} ${services}`;
  }

  async stop(services: readonly string[] = [], options: ComposeLimits = {}): Promise<void> {
    await this.#command(`stop ${namesOf(services)}`, options)`${this.#words} stop ${services}`;
  }

  /**
   * Runs one command in a new container of the service, without the services it depends on. The container is removed
   * at the end, also after a failure. Throws CommandFailure.
   */
  async run(service: string, argv: readonly string[], options: ComposeRun = {}): Promise<CommandResult> {
    const { name = `homie-update-${service}`, ...limits } = options;
    try {
      const run = this.#command(`run "${argv[0] ?? ''}" in a new container of "${service}"`, limits);
      return await run`${this.#words} run --rm -T --no-deps --name=${name} ${service} ${argv}`;
    } catch (error) {
      // Killing the client does not end its container, and a migration must not continue unseen.
      await this.removeContainer(name).catch(() => {});
      throw error;
    }
  }

  /** By force; a missing container is no error. */
  async removeContainer(name: string, { deadlineMs = usualMs }: { deadlineMs?: number } = {}): Promise<void> {
    const { exitCode, stderr } = await command({ deadlineMs, accept: [1] })`docker rm --force ${name}`;
    if (exitCode !== 0 && !/no such container/i.test(stderr))
      throw new Failure(`Cannot remove the container "${name}": ${stderr.trim()}`);
  }

  /**
   * Runs one command in the service's running container. After its deadline the call ends, but the command may
   * continue in the container. Throws CommandFailure, and Failure if the service does not run.
   */
  async exec(service: string, argv: readonly string[], options: ComposeExec = {}): Promise<CommandResult> {
    const what = `run "${argv[0] ?? ''}" in service "${service}"`;
    // On a small board finding the container takes longer than most of the commands in it, so its id is remembered.
    const known = this.#running.get(service);
    if (known !== undefined) {
      try {
        return await this.#execIn(known, what, argv, options);
      } catch (error) {
        if (!hasLeft(error, known)) throw error;
        this.#running.delete(service);
      }
    }
    const found = (await this.containers(options)).find(
      (container) => container.service === service && container.state === 'running',
    );
    if (found === undefined) throw new Failure(`Cannot ${what}: it does not run`);
    this.#running.set(service, found.id);
    return await this.#execIn(found.id, what, argv, options);
  }

  #execIn(id: string, what: string, argv: readonly string[], options: ComposeExec): Promise<CommandResult> {
    const { stdinFrom, stdoutTo, ...limits } = options;
    const run = this.#command(what, limits);
    const words = ['docker', 'exec', ...(stdinFrom === undefined ? [] : ['--interactive']), id, ...argv];
    const input = stdinFrom ?? '/dev/null';
    return stdoutTo === undefined ? run`${words} < ${input}` : run`${words} < ${input} > ${stdoutTo}`;
  }

  /** The last whole lines that the service's containers wrote, of at most so many bytes. */
  async logTail(service: string, bytes = 10_240): Promise<string> {
    return await readLogTail(this.project, service, bytes, this.#signal);
  }

  #command(what: string, { signal = this.#signal, ...limits }: CallLimits) {
    return calling(what, { deadlineMs: usualMs, ...limits, signal });
  }
}

/** Whether the engine ran nothing, because the container is gone or no longer runs. */
function hasLeft(error: unknown, id: string): boolean {
  if (!(error instanceof CommandFailure)) return false;
  return new RegExp(
    `(no such container: ${id}|container ${id} is (not running|restarting|paused))`,
    'i',
  ).test(error.stderr);
}

function namesOf(services: readonly string[]): string {
  return services.length === 0 ? 'all services' : services.map((name) => `"${name}"`).join(', ');
}
