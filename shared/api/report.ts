import { readSlots, type Slots } from '../rauc/status.ts';
import { Deadline } from '../system/deadline.ts';
import { reasonOf } from '../system/failure.ts';
import { lockHolder } from '../system/lock.ts';
import { lockFileOf, type Places } from '../system/places.ts';
import { type StatusReport, statusReport } from '../update/commands/status.ts';
import { readTransaction } from '../update/journal.ts';
import { type Progress, readProgress } from '../update/progress.ts';
import type { Job, JobStanding } from './job.ts';
import type { Jobs } from './jobs.ts';
import { keepSlots, lastSlots } from './last-slots.ts';

/** What `update.sh status --json` says, and what is under way. */
export interface Report extends StatusReport {
  /** Why the slots are those that RAUC told last, where it does not answer now. */
  slotsProblem: string | null;
  /** Who holds the lock: an update, by hand, by the timer or by the API. */
  busy: { program: string; pid: number } | null;
  progress: Progress | null;
  job: (Job & JobStanding) | null;
}

interface KnownSlots {
  slots: Slots;
  problem: string | null;
  freshness: Deadline;
  /** The update that they belong to: a further step of it makes them old. */
  moment: string;
}

/** RAUC is a process and a bus away: that many seconds one answer is good for everybody. */
const freshMs = 5_000;

/** Reads the same answer for all who ask at once. */
export class Reporter {
  readonly #places: Places;
  readonly #jobs: Jobs;
  #known: KnownSlots | undefined;
  #asking: Promise<KnownSlots> | undefined;

  constructor(places: Places, jobs: Jobs) {
    this.#places = places;
    this.#jobs = jobs;
  }

  async read(): Promise<Report> {
    const places = this.#places;
    const current = readTransaction(places);
    const job = this.#jobs.last() ?? null;
    const moment = JSON.stringify([current, job]);
    const { slots, problem } = await this.#slotsAt(moment);
    const holder = lockHolder(lockFileOf(places));
    return {
      ...statusReport(places, slots, current),
      slotsProblem: problem,
      busy: holder === undefined ? null : { program: holder.program, pid: holder.pid },
      progress: readProgress(places) ?? null,
      job,
    };
  }

  async #slotsAt(moment: string): Promise<KnownSlots> {
    const known = this.#known;
    if (known !== undefined && known.moment === moment && !known.freshness.isOver) return known;
    this.#asking ??= this.#ask(moment).finally(() => {
      this.#asking = undefined;
    });
    return await this.#asking;
  }

  async #ask(moment: string): Promise<KnownSlots> {
    const answer = await this.#slotsOrLast();
    this.#known = { ...answer, freshness: new Deadline(freshMs), moment };
    return this.#known;
  }

  async #slotsOrLast(): Promise<{ slots: Slots; problem: string | null }> {
    try {
      const slots = await readSlots();
      keepSlots(this.#places, slots);
      return { slots, problem: null };
    } catch (error) {
      return { slots: lastSlots(this.#places), problem: reasonOf(error) };
    }
  }
}
