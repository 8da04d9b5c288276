import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CommandOptions, type CommandResult, command } from '../../../shared/system/process/command.ts';
import { type ComposeOptions, composeFile, database } from './compose-file.ts';
import type { Engine } from './engine.ts';
import { freePort } from './free-port.ts';
import type { Release } from './releases.ts';
import { waitFor } from './wait-for.ts';

export interface StackOptions extends Omit<ComposeOptions, 'port'> {
  engine: Engine;
  /** Where docker-compose.yml is written; the guide's is /opt/homie_orchestrator. */
  folder: string;
  port?: number;
}

const composeMs = 180_000;

/** The Homie stack on an engine, driven as the product drives it: with docker-compose in the folder of its file. */
export class Stack {
  readonly engine: Engine;
  readonly folder: string;
  readonly healthUrl: string;
  #options: ComposeOptions;

  constructor({ engine, folder, port = freePort(), ...options }: StackOptions) {
    this.engine = engine;
    this.folder = folder;
    this.healthUrl = `http://127.0.0.1:${port}/health`;
    this.#options = { ...options, port };
    for (const name of ['postgres', 'redis', 'core', 'config/core'])
      mkdirSync(join(options.dataFolder, name), { recursive: true });
    this.describe({});
  }

  /** Writes docker-compose.yml anew, with these changes; `up` then brings them about. */
  describe(changes: Partial<ComposeOptions>): void {
    this.#options = { ...this.#options, ...changes };
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(join(this.folder, 'docker-compose.yml'), composeFile(this.#options));
  }

  compose(args: readonly string[], options: Partial<CommandOptions> = {}): Promise<CommandResult> {
    const env = { ...this.engine.environment, ...options.env };
    return command({ deadlineMs: composeMs, cwd: this.folder, ...options, env })`docker-compose ${args}`;
  }

  /** Pulls and migrates to the release's own schema, then starts all services; core is healthy after it. */
  async upAndMigrated(release: Release): Promise<void> {
    this.describe({ release });
    await this.compose(['pull', '--quiet']);
    await this.alembic('upgrade', 'head');
    await this.compose(['up', '-d']);
    await this.healthy();
  }

  alembic(...args: string[]): Promise<CommandResult> {
    return this.compose(['run', '--rm', '-T', 'orchestrator', 'python', '-m', 'alembic', ...args]);
  }

  /** Each row a line, its columns parted by `|`. */
  async sql(query: string, name: string = database.name): Promise<string[]> {
    const psql = ['psql', `--username=${database.user}`, `--dbname=${name}`, '--no-psqlrc'];
    const plain = ['--tuples-only', '--no-align', '--quiet', '--set=ON_ERROR_STOP=1'];
    const { stdout } = await this.compose([
      'exec',
      '-T',
      'postgres',
      ...psql,
      ...plain,
      `--command=${query}`,
    ]);
    return stdout.split('\n').filter((line) => line !== '');
  }

  /** What core answers now, undefined where nothing does. */
  async health(): Promise<{ status: number; said: string } | undefined> {
    try {
      const answer = await fetch(this.healthUrl, { signal: AbortSignal.timeout(5_000) });
      return { status: answer.status, said: await answer.text() };
    } catch {
      return undefined;
    }
  }

  /** Core answers, and Docker has found out of every service how it is: that comes a second or more later. */
  async healthy(deadlineMs = 30_000): Promise<void> {
    await waitFor('core to be healthy', async () => (await this.health())?.status === 200, { deadlineMs });
    const starting = ['ps', '--quiet', '--filter=health=starting'];
    await waitFor(
      'Docker to know how its containers are',
      async () => (await this.engine.docker(starting)).stdout === '',
      { deadlineMs },
    );
  }
}
