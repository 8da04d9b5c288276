import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../rig/stack/free-port.ts';
import type { LabImages } from '../images.ts';
import { type Card, insertCard } from './card.ts';
import { Machine } from './machine.ts';
import type { Answer } from './shell.ts';

/** A board that was stopped under power: what its card held, and its memory. */
export interface BoardState {
  card: string;
  memory: string;
  bootId: string;
}

/** An emulated board with its card, as a story sees it: it is switched on, asked, told, and cut off. */
export class Board implements AsyncDisposable {
  readonly #folder: string;
  readonly #card: Card;
  readonly #bundles: string;
  readonly #healthPort = freePort();
  #machine: Machine | undefined;
  #bootId = '';

  private constructor(folder: string, card: Card, bundles: string) {
    this.#folder = folder;
    this.#card = card;
    this.#bundles = bundles;
  }

  /** Without power yet. `card` is an image, of the factory or as another board has left it. */
  static async withCard(images: LabImages, card = images.card): Promise<Board> {
    const folder = mkdtempSync(join(tmpdir(), 'homie-lab-'));
    return new Board(folder, await insertCard(folder, card), images.bundles);
  }

  /** Under power, where the other board was saved. */
  static async resume(images: LabImages, state: BoardState): Promise<Board> {
    const board = await Board.withCard(images, state.card);
    board.#bootId = state.bootId;
    await board.powerOn(state.memory);
    return board;
  }

  async powerOn(memory?: string): Promise<void> {
    this.#machine = await Machine.start(this.#folder, {
      card: this.#card.socket,
      bundles: this.#bundles,
      healthPort: this.#healthPort,
      memory,
    });
  }

  async cutPower(): Promise<void> {
    await this.#machine?.cutPower();
    this.#machine = undefined;
  }

  /** Until a system answers that was not asked before: the first boot, or the next one. */
  async nextBoot(timeoutMs = bootMs): Promise<void> {
    const isOver = Date.now() + timeoutMs;
    while (Date.now() < isOver) {
      const answer = await this.#on.shell.ask('cat /proc/sys/kernel/random/boot_id', 3_000);
      if (answer?.exitCode !== 0) continue;
      // What the system that went down had to say last may come first.
      const id = answer.output.match(/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/gm)?.at(-1);
      if (id === this.#bootId || id === undefined) {
        await Bun.sleep(200);
        continue;
      }
      this.#bootId = id;
      return;
    }
    throw new Error(
      `no system came up within ${timeoutMs / 1000} s; the console ends with\n${this.consoleEnd()}`,
    );
  }

  /** What the command says; whatever else than 0 it ends with fails the story. */
  async run(text: string, timeoutMs = commandMs): Promise<string> {
    const { exitCode, output } = await this.ask(text, timeoutMs);
    if (exitCode !== 0) throw new Error(`"${text}" ended with ${exitCode}: ${output}`);
    return output.trim();
  }

  async ask(text: string, timeoutMs = commandMs): Promise<Answer> {
    const answer = await this.#on.shell.ask(text, timeoutMs);
    if (answer !== undefined) return answer;
    throw new Error(
      `"${text}" did not end within ${timeoutMs / 1000} s; the console ends with\n${this.consoleEnd()}`,
    );
  }

  /** Until the command ends with 0. A board that has just come up may be too busy to answer at first. */
  async waitFor(text: string, timeoutMs = commandMs): Promise<void> {
    const isOver = Date.now() + timeoutMs;
    while ((await this.#on.shell.ask(text, answerMs))?.exitCode !== 0) {
      if (Date.now() > isOver)
        throw new Error(
          `"${text}" did not come true within ${timeoutMs / 1000} s; the console ends with\n${this.consoleEnd()}`,
        );
      await Bun.sleep(300);
    }
  }

  /** Asked from outside. */
  get healthUrl(): string {
    return `http://127.0.0.1:${this.#healthPort}/health`;
  }

  /** All that was said on the serial line, over all boots. */
  console(): string {
    return readFileSync(join(this.#folder, 'console.log'), 'latin1').replaceAll('\r', '');
  }

  /** How often U-Boot has booted the slots so far, as it says. */
  boots(): string[] {
    return [...this.console().matchAll(/^Booting slot ([AB]) \((\w+)\)$/gm)].map(
      ([, slot = '', report = '']) => `${slot} ${report}`,
    );
  }

  /** The board as it is now, under power, for others to go on from; this one is at its end. */
  async save(folder: string): Promise<BoardState> {
    const state = {
      card: join(folder, 'state.qcow2'),
      memory: join(folder, 'state.memory'),
      bootId: this.#bootId,
    };
    await this.#on.saveTo(state.memory);
    this.#machine = undefined;
    await this.#takeOut(state.card);
    return state;
  }

  async #takeOut(image: string): Promise<void> {
    await this.#card[Symbol.asyncDispose]();
    renameSync(this.#card.image, image);
  }

  /** For whoever has to find out why a story failed. */
  consoleEnd(): string {
    return this.console().split('\n').slice(-25).join('\n');
  }

  get #on(): Machine {
    if (this.#machine === undefined) throw new Error('the board has no power');
    return this.#machine;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cutPower();
    await this.#card[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const bootMs = 420_000;
const commandMs = 60_000;
const answerMs = 15_000;
