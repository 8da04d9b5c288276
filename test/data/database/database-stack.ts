import { mkdirSync } from 'node:fs';
import type { Containers } from '../../../shared/data/database/database.ts';
import type { MigrationContainers } from '../../../shared/stack/migrations-run.ts';
import { type CommandResult, command } from '../../../shared/system/process/command.ts';
import type { Log } from '../../../shared/system/terminal/log.ts';
import { startEngine } from '../../rig/stack/engine.ts';
import { stackImages } from '../../rig/stack/images.ts';
import { startRegistry } from '../../rig/stack/registry.ts';
import { Stack } from '../../rig/stack/stack.ts';
import { TempFolder } from '../../support/temp-folder.ts';

/** The containers of a compose file, as docker-compose reaches them. */
export class ComposeContainers implements Containers, MigrationContainers {
  readonly #compose: string[];
  readonly #env: Record<string, string>;

  constructor(folder: string, env: Readonly<Record<string, string>>) {
    const file = `${folder}/docker-compose.yml`;
    this.#compose = ['docker-compose', `--file=${file}`, `--project-directory=${folder}`];
    this.#env = { ...env };
  }

  exec(...[service, argv, options]: Parameters<Containers['exec']>): Promise<CommandResult> {
    const { stdinFrom = '/dev/null', stdoutTo, deadlineMs, signal } = options;
    const words = [...this.#compose, 'exec', '-T', service, ...argv];
    const run = command({ deadlineMs, signal, env: this.#env });
    return stdoutTo === undefined ? run`${words} < ${stdinFrom}` : run`${words} < ${stdinFrom} > ${stdoutTo}`;
  }

  run(
    ...[service, argv, { name, ...options }]: Parameters<MigrationContainers['run']>
  ): Promise<CommandResult> {
    const words = [...this.#compose, 'run', '--rm', '--no-deps', '-T', `--name=${name}`, service, ...argv];
    return command({ ...options, env: this.#env })`${words}`;
  }

  async removeContainer(name: string, { deadlineMs }: { deadlineMs: number }): Promise<void> {
    await command({ deadlineMs, env: this.#env })`docker rm --force ${name}`;
  }
}

/** The same without docker-compose in between, which takes most of the time. */
export class QuickContainers implements Containers {
  readonly #env: Record<string, string>;

  constructor(env: Readonly<Record<string, string>>) {
    this.#env = { ...env };
  }

  exec(...[service, argv, options]: Parameters<Containers['exec']>): Promise<CommandResult> {
    const { stdinFrom = '/dev/null', stdoutTo, deadlineMs, signal } = options;
    const words = ['docker', 'exec', '--interactive', `homie_${service}_1`, ...argv];
    const run = command({ deadlineMs, signal, env: this.#env });
    return stdoutTo === undefined ? run`${words} < ${stdinFrom}` : run`${words} < ${stdinFrom} > ${stdoutTo}`;
  }
}

export interface RunningStack extends AsyncDisposable {
  stack: Stack;
  containers: ComposeContainers;
  quick: QuickContainers;
  folder: TempFolder;
  /** The host's side of /data. */
  dataFolder: string;
  /** Where backups go. */
  backups: string;
}

/**
 * The Homie stack on an engine of its own, its database and redis up and migrated to release 1.0.0; its data on a
 * small disk of its own, where a size is given.
 */
export async function startStack({ dataMiB }: { dataMiB?: number } = {}): Promise<RunningStack> {
  const folder = new TempFolder();
  const cleanup = new AsyncDisposableStack();
  cleanup.use(folder);
  try {
    const dataFolder = folder.at('data');
    mkdirSync(dataFolder);
    if (dataMiB !== undefined) await mountSmall(dataFolder, dataMiB, cleanup);
    const registry = cleanup.use(
      await startRegistry({ folder: folder.at('registry'), images: await stackImages() }),
    );
    const engine = cleanup.use(await startEngine({ folder: folder.at('engine') }));
    const backups = folder.at('backups');
    mkdirSync(backups);
    const stack = new Stack({
      engine,
      folder: folder.at('homie'),
      registry: registry.name,
      release: '1.0.0',
      dataFolder,
    });
    await stack.compose(['pull', '--quiet']);
    await stack.alembic('upgrade', 'head');
    await stack.compose(['up', '-d', 'postgres', 'redis']);
    const containers = new ComposeContainers(stack.folder, engine.environment);
    const quick = new QuickContainers(engine.environment);
    return {
      stack,
      containers,
      quick,
      folder,
      dataFolder,
      backups,
      [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
    };
  } catch (error) {
    await cleanup.disposeAsync();
    throw error;
  }
}

/** Before the engine starts: a volume below a mount that came later is not seen in its containers. */
async function mountSmall(path: string, sizeMiB: number, cleanup: AsyncDisposableStack): Promise<void> {
  const run = command({ deadlineMs: 20_000 });
  await run`mount -t tmpfs -o size=${sizeMiB}m tmpfs ${path}`;
  cleanup.defer(async () => {
    await run`umount ${path}`;
  });
}

/** Keeps what is said. */
export function quietLog(): Log & { lines: string[] } {
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  return {
    lines,
    info: say,
    warn: say,
    error: say,
    alsoTo: () => {},
    lastLine: '',
    step: async (_doing, _done, _thing, work) => await work(),
  };
}
