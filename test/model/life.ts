import { needsRestore, stateOf } from '../../shared/update/transaction/transaction.ts';
import type { Ended } from '../support/scene/scene.ts';
import { bothNames, exhaust, otherName } from './board/bootloader.ts';
import { type Kind, ModelBoard, type PowerFailure, type Version } from './board/model-board.ts';
import { wrongAtRest } from './good-end.ts';

/** A sequence of events on a device, and the properties that hold after each of them. */

export type Happening =
  | { kind: 'use' }
  | {
      kind: 'install';
      isSick: boolean;
      migrates: boolean;
      cut?: Cut | undefined;
      power?: PowerFailure | undefined;
    }
  | { kind: 'reboot'; cut?: Cut | undefined }
  /** The slot that would come up never does, until its attempts are used up. */
  | { kind: 'give-out' }
  | { kind: 'operator'; words: readonly string[]; cut?: Cut | undefined };

export interface Cut {
  /** After so many steps; none where the program has fewer. */
  after: number;
  /** Only for an install: which of its programs. */
  in: 'install-check' | 'pre-install' | 'post-install';
  /** The board lives on where only the program was killed. */
  isPower: boolean;
}

/** A device and what its users may count on. */
export class Life implements AsyncDisposable {
  readonly board: ModelBoard;
  /** All that has to be there. */
  readonly #rows: string[];
  #versions = 0;
  readonly #story: string[] = [];

  constructor(programs: string, kind: Kind) {
    this.board = new ModelBoard(programs, { name: '1.0.0', head: '0001' }, kind);
    this.#rows = [...this.board.rows];
  }

  async live(happenings: readonly Happening[]): Promise<void> {
    for (const happening of happenings) {
      this.#story.push(JSON.stringify(happening));
      await this.#happen(happening);
      this.#mustHold(this.#wrongNow());
    }
    await this.#comeToRest();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.board[Symbol.asyncDispose]();
  }

  async #happen(happening: Happening): Promise<void> {
    switch (happening.kind) {
      case 'use':
        return this.#use();
      case 'install':
        return await this.#install(happening);
      case 'reboot':
        return await this.#reboot(happening.cut);
      case 'give-out':
        return await this.#giveOut();
      case 'operator':
        return await this.#operate(happening.words, happening.cut);
    }
  }

  /** What is written during a trial may be dropped with it, and is named then. */
  #use(): void {
    const { transactionNow } = this.board;
    const isTrying = transactionNow !== undefined && !transactionNow.isClosed && needsRestore(transactionNow);
    const row = this.board.use();
    if (row !== undefined && !isTrying) this.#rows.push(row);
  }

  async #install({ isSick, migrates, cut, power }: Extract<Happening, { kind: 'install' }>): Promise<void> {
    this.#versions += 1;
    const { board } = this;
    const head = Number(board.headIn(board.booted)) + (migrates ? 1 : 0);
    const version: Version = {
      name: `1.${this.#versions}.0`,
      head: String(head).padStart(4, '0'),
      isSick,
    };
    const program = cut === undefined ? {} : { in: cut.in, fault: faultOf(cut) };
    this.#heard(await board.install(version, { ...program, power }));
    const isDead = board.calls().length > 0 && cut !== undefined;
    if (power !== undefined || (isDead && cut?.isPower)) return await this.#reboot();
    await board.letSystemdAct();
  }

  async #reboot(cut?: Cut): Promise<void> {
    const { board } = this;
    board.powerOn();
    board.isPowerCut = cut?.isPower === true;
    if (cut !== undefined) {
      this.#heard(await board.program('post-activate', [], { fault: faultOf(cut) }));
      if (cut.isPower || board.isRebootAsked) board.powerOn();
    }
    await board.runOn();
  }

  /** A committed version that breaks leaves the one before it on a schema that it does not know: not this story. */
  async #giveOut(): Promise<void> {
    const { board } = this;
    const { order, left } = board.environment;
    const [next, ...others] = order.filter((name) => left[name] > 0);
    const [other] = others;
    if (next === undefined || other === undefined || !this.#mayRun(other)) return;
    board.environment = exhaust(board.environment, next);
    await this.#reboot();
  }

  #mayRun(name: 'A' | 'B'): boolean {
    const { transactionNow } = this.board;
    const isOpen = transactionNow?.isClosed === false && stateOf(transactionNow) !== 'committed';
    return isOpen || this.board.headIn(name) === this.board.revision;
  }

  async #operate(words: readonly string[], cut: Cut | undefined): Promise<void> {
    const { board } = this;
    if (words[0] === 'rollback' && !this.#mayRun(otherName(board.booted))) return;
    const ended = await board.program('update.sh', words, cut === undefined ? {} : { fault: faultOf(cut) });
    this.#heard(ended);
    // What was written after the backup is what a restore by hand is for.
    if (words[0] === 'restore' || words[0] === 'repair' || words[0] === 'rollback') this.#keepWhatIsThere();
    if (cut?.isPower && ended.exitCode === 137) return await this.#reboot();
    await board.letSystemdAct();
  }

  #keepWhatIsThere(): void {
    const there = this.board.rows;
    this.#rows.splice(0, this.#rows.length, ...this.#rows.filter((row) => there.includes(row)));
  }

  /** A program may fail, but not by a bug. */
  #heard({ stderr }: Ended): void {
    if (/bug of ours|\n\s+at /.test(stderr)) this.#mustHold([stderr]);
  }

  #wrongNow(): string[] {
    const { board } = this;
    const half = bothNames.find(
      (name) => board.environment.order.includes(name) && board.versionIn(name) === undefined,
    );
    return [
      ...(half === undefined ? [] : [`slot ${half} is half written, and may be booted`]),
      ...(board.versionIn(board.booted) === undefined ? ['a slot runs that was never filled'] : []),
    ];
  }

  /** Nothing disturbs it any more: it is well, and stays so. */
  async #comeToRest(): Promise<void> {
    await this.#reboot();
    await this.#reboot();
    this.#mustHold(wrongAtRest(this.board, this.#rows));
    const before = [this.board.booted, this.board.stack.database, this.board.history.length];
    await this.#reboot();
    const after = [this.board.booted, this.board.stack.database, this.board.history.length];
    if (String(before) !== String(after)) this.#mustHold([`a boot turns ${before} into ${after}`]);
  }

  #mustHold(wrong: readonly string[]): void {
    if (wrong.length === 0) return;
    const { board } = this;
    const told = [
      ...wrong,
      `after ${this.#story.join(', ')}`,
      `with ${JSON.stringify(board.environment)}, slot ${board.booted}, database "${board.stack.database}"`,
      JSON.stringify(board.transactionNow?.steps),
    ];
    throw new Error(told.join('\n  '));
  }
}

function faultOf({ after }: Cut): string {
  return `kill@${after}`;
}
