import { join } from 'node:path';
import { project } from '../../../shared/packaging/project.ts';
import { until } from '../until.ts';

/** A real FastAPI and uvicorn that pass requests on to a socket, as the guide's orchestrator does on port 8080. */
export class Orchestrator implements AsyncDisposable {
  readonly #child: Bun.Subprocess<'ignore', 'ignore', 'pipe'>;
  readonly #reading: Promise<void>;
  #said = '';

  constructor(socket: string) {
    const folders = [
      join(project.root, 'bundle-skeleton/orchestrator'),
      join(project.root, 'test/api/programs'),
    ];
    // The machine's own Python, which Debian's packages are for.
    const words = ['-B', '-m', 'uvicorn', 'orchestrator:app', '--host', '127.0.0.1', '--port', '0'];
    this.#child = Bun.spawn(['/usr/bin/python3', ...words], {
      cwd: '/',
      env: { PATH: '/usr/bin:/bin', PYTHONPATH: folders.join(':'), HOMIE_UPDATE_SOCKET: socket },
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'pipe',
    });
    this.#reading = this.#read();
  }

  /** Answers once it listens. */
  static async before(socket: string): Promise<Orchestrator> {
    const orchestrator = new Orchestrator(socket);
    await until(() => orchestrator.url !== '' || orchestrator.#child.exitCode !== null);
    if (orchestrator.url === '') throw new Error(`uvicorn ended: ${orchestrator.#said}`);
    return orchestrator;
  }

  get url(): string {
    return /running on (http:\/\/127\.0\.0\.1:\d+)/.exec(this.#said)?.[1] ?? '';
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const piece of this.#child.stderr) this.#said += decoder.decode(piece, { stream: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#child.exited;
    await this.#reading;
  }
}
