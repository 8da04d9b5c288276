import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { project } from '../../../shared/packaging/project.ts';
import { freePort } from '../../rig/stack/free-port.ts';

/** A real hawkBit on a port of 127.0.0.1, with its database in memory; ended by its process id. */
export class FleetServer implements AsyncDisposable {
  readonly url: string;
  readonly gatewayToken = 'gateway-of-the-tests';
  readonly #folder: string;
  readonly #child: Bun.Subprocess;

  private constructor(port: number) {
    this.url = `http://127.0.0.1:${port}`;
    this.#folder = mkdtempSync(join(tmpdir(), 'homie-hawkbit-'));
    const log = Bun.file(join(this.#folder, 'log'));
    this.#child = Bun.spawn(javaLine(port, this.#folder), {
      cwd: this.#folder,
      env: { PATH: process.env['PATH'] ?? '', FLEET_GATEWAY_TOKEN: this.gatewayToken },
      stdin: 'ignore',
      stdout: log,
      stderr: log,
    });
  }

  /** Answers once it answers. */
  static async start(port = freePort()): Promise<FleetServer> {
    await fetchServer();
    const server = new FleetServer(port);
    try {
      await server.#isUp();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  static get version(): string {
    const jar = readdirSync(join(cache, 'lib')).find((name) => name.startsWith('hawkbit-core-'));
    return /^hawkbit-core-(.*)\.jar$/.exec(jar ?? '')?.[1] ?? 'unknown';
  }

  get pid(): number {
    return this.#child.pid;
  }

  get log(): string {
    return readFileSync(join(this.#folder, 'log'), 'utf8');
  }

  async #isUp(): Promise<void> {
    for (;;) {
      if (this.#child.exitCode !== null) throw new Error(`hawkBit ended: ${this.log.slice(-2000)}`);
      const answer = await fetch(`${this.url}/rest/v1/targets`, {
        headers: { Authorization: `Basic ${btoa('admin:admin')}` },
        signal: AbortSignal.timeout(5_000),
      }).catch(() => undefined);
      if (answer?.ok === true) return;
      await Bun.sleep(100);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM');
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 20_000);
    await this.#child.exited;
    clearTimeout(late);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const cache = join(project.cache, 'hawkbit');

async function fetchServer(): Promise<void> {
  const child = Bun.spawn(['sh', 'test/fleet/server/fetch.sh'], {
    cwd: project.root,
    stdin: 'ignore',
    stdout: 'inherit',
    stderr: 'inherit',
  });
  if ((await child.exited) !== 0) throw new Error('hawkBit could not be fetched');
  if (!existsSync(join(cache, 'complete'))) throw new Error('hawkBit is not there');
}

/** Quick to start rather than quick in the long run; its Spring looks into the JDK's own classes. */
function javaLine(port: number, folder: string): string[] {
  return [
    'java',
    '--add-opens',
    'java.base/java.lang=ALL-UNNAMED',
    '-XX:TieredStopAtLevel=1',
    '-XX:+UseSerialGC',
    '-Xmx768m',
    `-Djava.io.tmpdir=${folder}`,
    '-cp',
    `${join(cache, 'classes')}:${join(cache, 'lib')}/*`,
    'FleetServer',
    `--spring.config.location=${join(import.meta.dir, 'application.properties')}`,
    `--server.port=${port}`,
    `--hawkbit.artifact.fileRepository.path=${join(folder, 'artifacts')}`,
  ];
}
