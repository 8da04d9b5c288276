import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { Deadline, pause } from '../system/deadline.ts';
import { Failure } from '../system/failure.ts';
import { lockFileOf, type Places } from '../system/places.ts';
import { lockHolder } from '../system/process/lock.ts';
import type { Log } from '../system/terminal/log.ts';
import {
  endFileOf,
  forgetJob,
  isJobLocked,
  type Job,
  type JobEnd,
  type JobKind,
  type JobStanding,
  newJob,
  readEnd,
  readJob,
  standingOf,
  writeJob,
} from './job.ts';
import { type Launch, launch } from './launch.ts';

/** How long to wait for the job's process; after that, the state on disk decides. */
const startMs = 15_000;
const cancelMs = 60_000;
const askPauseMs = 20;
/** How long the guide's client waits for its install, and how often the job is looked at meanwhile. */
const longestMs = 60 * 60_000;
const watchPauseMs = 200;
const followed = 'another job has followed; see "update.sh history" for how this one ended';

/** The jobs of this device: one at a time, even if several clients send requests at once. */
export class Jobs {
  readonly #places: Places;
  readonly #log: Log;
  #isStarting = false;
  #isCancelling = false;

  constructor(places: Places, log: Log) {
    this.#places = places;
    this.#log = log;
  }

  /** The last job of this boot, and its state. */
  last(): (Job & JobStanding) | undefined {
    const job = readJob(this.#places);
    return job === undefined ? undefined : { ...job, ...standingOf(job, this.#places) };
  }

  /** Answers once the job's process runs, or has ended already. Throws a busy Failure while another job or update runs. */
  async begin(kind: JobKind, words: readonly string[], source: string | null): Promise<Job & JobStanding> {
    this.#requireIdle();
    this.#isStarting = true;
    const before = this.last();
    try {
      // The previous job notes its end a moment before its process ends.
      await this.#until(() => !isJobLocked(this.#places));
      const job = newJob(randomBytes(8).toString('hex'), kind, source);
      writeJob(this.#places, job);
      if (before !== undefined) rmSync(endFileOf(before.id, this.#places), { force: true });
      await this.#start({ id: job.id, kind, words });
      return { ...job, ...standingOf(job, this.#places) };
    } finally {
      this.#isStarting = false;
    }
  }

  /**
   * How the job has ended; undefined where it takes longer than an hour, or the client has gone. A job that another one has
   * followed counts as failed: its end was not seen, and the client must not take it for installed.
   */
  async ended(id: string, client: AbortSignal): Promise<JobStanding | undefined> {
    const deadline = new Deadline(longestMs);
    while (!deadline.isOver && !client.aborted) {
      const job = this.last();
      if (job?.id !== id) return { state: 'failed', reason: followed };
      if (job.state === 'done' || job.state === 'failed') return job;
      await pause(watchPauseMs);
    }
    return undefined;
  }

  /** Runs `update.sh cancel` beside a running job, and answers with its end. Throws a Failure where that does not come. */
  async cancel(words: readonly string[]): Promise<JobEnd> {
    if (this.#isCancelling) throw busy('it is being cancelled already');
    this.#isCancelling = true;
    const id = randomBytes(8).toString('hex');
    try {
      await launch({ id, kind: 'cancel', words }, this.#places, this.#log);
      await this.#until(() => readEnd({ id }, this.#places) !== undefined, cancelMs);
      const end = readEnd({ id }, this.#places);
      if (end === undefined)
        throw new Failure('Cannot cancel: no answer was received', { outcome: 'tryLater' });
      return end;
    } finally {
      rmSync(endFileOf(id, this.#places), { force: true });
      this.#isCancelling = false;
    }
  }

  async #start(what: Launch): Promise<void> {
    try {
      await launch(what, this.#places, this.#log);
    } catch (error) {
      forgetJob(this.#places);
      throw error;
    }
    await this.#until(() => isJobLocked(this.#places) || readEnd(what, this.#places) !== undefined);
  }

  #requireIdle(): void {
    if (this.#isStarting) throw busy('one is being started');
    const last = this.last();
    if (last?.state === 'running' || last?.state === 'starting')
      throw busy(`${last.kind}, job ${last.id}, is ${last.state}`);
    const holder = lockHolder(lockFileOf(this.#places));
    if (holder !== undefined) throw busy(`${holder.program}, process ${holder.pid}`);
  }

  async #until(holds: () => boolean, ms = startMs): Promise<void> {
    const deadline = new Deadline(ms);
    while (!holds() && !deadline.isOver) await pause(askPauseMs);
  }
}

function busy(who: string): Failure {
  return new Failure(`Cannot begin: another update is running (${who})`, {
    outcome: 'busy',
    advice: 'Wait until it has ended',
  });
}
