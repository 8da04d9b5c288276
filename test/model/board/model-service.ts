import type { Ended } from '../../support/scene/scene.ts';
import { reasonIn } from '../../support/scene/scene.ts';

/** A program that waits for others until it is stopped, as systemd runs it. */
export class ModelService implements AsyncDisposable {
  readonly #child: Bun.Subprocess<'ignore', 'ignore', 'pipe'>;
  readonly #heard: Promise<void>;
  #said = '';
  #isOver = false;

  constructor(child: Bun.Subprocess<'ignore', 'ignore', 'pipe'>) {
    this.#child = child;
    this.#heard = this.#listen();
  }

  /** All that it has said on stderr. */
  get said(): string {
    return this.#said;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** SIGTERM, unless it has ended by itself; then to its end. */
  async stop(): Promise<Ended> {
    this.#child.kill('SIGTERM');
    const exitCode = await this.#child.exited;
    await this.#heard;
    return { exitCode, stdout: '', stderr: this.#said, reason: reasonIn(this.#said) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#heard;
  }

  async #listen(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const piece of this.#child.stderr) this.#said += decoder.decode(piece, { stream: true });
    await this.#child.exited;
    this.#isOver = true;
  }
}
