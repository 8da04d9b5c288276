import type { Slots } from '../rauc/status.ts';
import { Deadline } from '../system/deadline.ts';
import { reasonOf } from '../system/failure.ts';
import { type StatusReport, statusReport } from '../update/commands/status.ts';
import { type Answers, queryRaucAndLogind, statusOf } from '../update/report/device-status.ts';
import type { Device } from '../update/transaction/device.ts';
import { readTransaction } from '../update/transaction/transaction-store.ts';
import type { Job, JobStanding } from './job.ts';
import type { Jobs } from './jobs.ts';
import { keepSlots, lastSlots } from './last-slots.ts';

/** The answer of `update.sh status --json`, with the running update and job. */
export interface Report extends StatusReport {
  /** Why RAUC does not answer now: then the slots are those that it reported last. */
  slotsProblem: string | null;
  /** The program that holds the lock: an update by hand, by the timer or by the API. */
  busy: { program: string; pid: number } | null;
  job: (Job & JobStanding) | null;
}

interface Known {
  answers: Answers;
  freshness: Deadline;
  /** The update and the job at the time of the answers: after a further step the answers are out of date. */
  moment: string;
}

/** How long one answer serves all readers: asking RAUC and systemd takes a process and the bus. */
const freshMs = 5_000;

/** Gives the same answer to all clients that ask at once. */
export class StatusReader {
  readonly #device: Device;
  readonly #jobs: Jobs;
  #known: Known | undefined;
  #asking: Promise<Known> | undefined;

  constructor(device: Device, jobs: Jobs) {
    this.#device = device;
    this.#jobs = jobs;
  }

  async read(): Promise<Report> {
    const moment = JSON.stringify([readTransaction(this.#device.places), this.#jobs.last()]);
    const answers = await this.#answersAt(moment);
    const standing = statusOf(this.#device, answers);
    const { holder, slotsProblem } = standing;
    return {
      ...statusReport(standing),
      slotsProblem: slotsProblem === undefined ? null : reasonOf(slotsProblem),
      busy: holder === undefined ? null : { program: holder.program, pid: holder.pid },
      job: this.#jobs.last() ?? null,
    };
  }

  async #answersAt(moment: string): Promise<Answers> {
    const known = this.#known;
    if (known !== undefined && known.moment === moment && !known.freshness.isOver) return known.answers;
    this.#asking ??= this.#ask(moment).finally(() => {
      this.#asking = undefined;
    });
    return (await this.#asking).answers;
  }

  async #ask(moment: string): Promise<Known> {
    const answers = await queryRaucAndLogind(this.#device.signal);
    this.#known = {
      answers: { ...answers, slots: this.#slotsOrLast(answers.slots) },
      freshness: new Deadline(freshMs),
      moment,
    };
    return this.#known;
  }

  #slotsOrLast(slots: Slots | undefined): Slots | undefined {
    if (slots === undefined) return lastSlots(this.#device.places);
    keepSlots(this.#device.places, slots);
    return slots;
  }
}
