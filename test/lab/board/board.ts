import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../rig/stack/free-port.ts';
import type { LabImages } from '../images/images.ts';
import { type Card, insertCard } from './card.ts';
import { Machine, type MachineWish } from './machine.ts';
import { type Processors, steadyProcessors } from './processors.ts';
import type { Answer } from './shell.ts';

export interface BoardImages extends LabImages {
  /** Else as much as the small application needs. */
  memoryMiB?: number;
  /** Else `steadyProcessors`. */
  processors?: Processors;
}

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
  readonly #hardware: Pick<MachineWish, 'memoryMiB' | 'processors'>;
  #healthPort = 0;
  /** Of this machine, where the board finds a web server if there is one. */
  readonly webPort = freePort();
  #machine: Machine | undefined;
  #bootId = '';

  private constructor(
    folder: string,
    card: Card,
    { bundles, memoryMiB = 768, processors = steadyProcessors }: BoardImages,
  ) {
    this.#folder = folder;
    this.#card = card;
    this.#bundles = bundles;
    this.#hardware = { memoryMiB, processors };
  }

  /** Without power yet. `card` is an image, of the factory or as another board has left it. */
  static async withCard(images: BoardImages, card = images.card): Promise<Board> {
    const folder = mkdtempSync(join(tmpdir(), 'homie-lab-'));
    return new Board(folder, await insertCard(folder, card), images);
  }

  /** Under power, where the other board was saved. */
  static async resume(images: BoardImages, state: BoardState): Promise<Board> {
    const board = await Board.withCard(images, state.card);
    board.#bootId = state.bootId;
    await board.powerOn({ memory: state.memory });
    return board;
  }

  async powerOn({ memory, clock }: Pick<MachineWish, 'memory' | 'clock'> = {}): Promise<void> {
    // A new port each time: without power the board does not keep its old one.
    this.#healthPort = freePort();
    this.#machine = await Machine.start(this.#folder, {
      card: this.#card.socket,
      bundles: this.#bundles,
      healthPort: this.#healthPort,
      webPort: this.webPort,
      ...this.#hardware,
      memory,
      clock,
    });
  }

  async cutPower(): Promise<void> {
    await this.#machine?.cutPower();
    this.#machine = undefined;
  }

  /** Until a system is up that was not seen before: the first boot, or the next one. */
  async nextBoot(timeoutMs = bootMs): Promise<void> {
    const id = await this.#on.shell.bootAfter(this.#bootId, timeoutMs);
    if (id === undefined) throw this.#failed(`no system came up within ${timeoutMs / 1000} s`);
    this.#bootId = id;
  }

  /** The output of the command; any exit code except 0 fails the story. */
  async run(text: string, timeoutMs = commandMs): Promise<string> {
    const { exitCode, output } = await this.ask(text, timeoutMs);
    if (exitCode !== 0) throw this.#failed(`"${text}" ended with ${exitCode}: ${output}`);
    return output.trim();
  }

  async ask(text: string, timeoutMs = commandMs): Promise<Answer> {
    const answer = await this.#on.shell.ask(text, timeoutMs);
    if (answer === undefined) throw this.#failed(`no answer to "${text}"`);
    if (answer.exitCode === timedOut || answer.exitCode === killed)
      throw this.#failed(`"${text}" did not end within ${timeoutMs / 1000} s: ${answer.output}`);
    return answer;
  }

  /** For what may take the board away before it can answer. */
  async tell(text: string): Promise<void> {
    await this.#on.shell.ask(text, commandMs);
  }

  /** Until the command ends with 0, in whichever boot. A board that has just come up may be too busy to answer at first. */
  async waitFor(text: string, timeoutMs = commandMs): Promise<void> {
    const isOver = Date.now() + timeoutMs;
    let last: Answer | undefined;
    while (true) {
      last = (await this.#on.shell.ask(text, answerMs)) ?? last;
      if (last?.exitCode === 0) return;
      if (Date.now() > isOver)
        throw this.#failed(`"${text}" did not come true within ${timeoutMs / 1000} s: ${last?.output ?? ''}`);
      await Bun.sleep(pollMs);
    }
  }

  /** Of the last system that has reported that it is up, also if no test waited for it. */
  get bootId(): string {
    return this.#machine?.shell.bootId ?? this.#bootId;
  }

  /** How often the hardware's watchdog has reset the board since its power was switched on. */
  get watchdogBites(): number {
    return this.#on.qmp.countOf('WATCHDOG');
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

  /** The state of the board now, under power, from which others can resume; this board has ended. */
  async save(folder: string): Promise<BoardState> {
    const state = {
      card: join(folder, 'state.qcow2'),
      memory: join(folder, 'state.memory'),
      bootId: this.bootId,
    };
    await this.#on.saveTo(state.memory);
    this.#machine = undefined;
    await this.takeOutCard(state.card);
    return state;
  }

  /** Without power: the content of the card, which others can read or resume from; this board has ended. */
  async takeOutCard(image: string): Promise<void> {
    await this.#card[Symbol.asyncDispose]();
    renameSync(this.#card.image, image);
  }

  /** Information about the failure of a story. */
  consoleEnd(): string {
    return this.console().split('\n').slice(-25).join('\n');
  }

  /** What a person would ask a board that does not do as it should; nothing where it does not answer. */
  async complaint(): Promise<string> {
    const answer = await this.#machine?.shell.ask(
      'systemctl --failed --no-legend; systemctl list-jobs; tail -n 40 /data/logs/update.log; journalctl -b -n 80 --no-pager',
      commandMs,
    );
    return answer?.output ?? 'The board does not answer.';
  }

  #failed(why: string): Error {
    return new Error(`${why}\nThe console ends with\n${this.consoleEnd()}`);
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

/** On a machine that does much else. */
const bootMs = 900_000;
const commandMs = 180_000;
const answerMs = 60_000;
const pollMs = 500;
/** As timeout(1) says it. */
const timedOut = 124;
const killed = 137;
