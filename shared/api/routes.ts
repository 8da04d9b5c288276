import { exitCodeOf, outcomeOf } from '../system/exit-code.ts';
import { Failure } from '../system/failure.ts';
import { redact } from '../system/redact.ts';
import { programVersion } from '../system/version.ts';
import type { Device } from '../update/transaction/device.ts';
import { readHistory } from '../update/transaction/transaction-store.ts';
import { readJson } from './body.ts';
import type { Events } from './events.ts';
import { guideAnswerOf, prefersJob, raucStatusOf } from './guide-client.ts';
import type { Job, JobStanding } from './job.ts';
import type { Jobs } from './jobs.ts';
import { json } from './json.ts';
import { pageResponse } from './page.ts';
import { HttpRefusal } from './problem.ts';
import { readQuery, readRollback, readSource } from './source.ts';
import type { StatusReader } from './status-reader.ts';

/** The routes of the API. docs/openapi.yaml describes the same, and a test compares the two. */

export interface Service {
  device: Device;
  jobs: Jobs;
  reporter: StatusReader;
  events: Events;
  /** The form of `status`: ours, or RAUC's as the guide's client knows it, with ours below `homie`. */
  statusForm: 'homie' | 'rauc';
}

export interface Route {
  method: 'GET' | 'POST';
  /** One part of the path may be a name in braces. */
  path: string;
  /** Set where the route changes something. */
  needsToken?: true;
  /** The answer never ends by itself. */
  isStream?: true;
  /** The answer may take as long as an install. */
  mayWait?: true;
  answer: (service: Service, request: Request, name: string) => Response | Promise<Response>;
}

const prefix = '/api/v1/update';

export const routes: readonly Route[] = [
  { method: 'GET', path: '/', answer: () => pageResponse() },
  { method: 'GET', path: '/health', answer: () => json({ status: 'healthy', version: programVersion }) },
  { method: 'GET', path: `${prefix}/status`, answer: status },
  { method: 'GET', path: `${prefix}/events`, isStream: true, answer: ({ events }) => events.open() },
  {
    method: 'GET',
    path: `${prefix}/history`,
    answer: ({ device }) => json({ format: 1, updates: readHistory(device.places) }),
  },
  { method: 'GET', path: `${prefix}/jobs/{id}`, answer: ({ jobs }, _request, id) => json(findJob(jobs, id)) },
  { method: 'POST', path: `${prefix}/install`, needsToken: true, mayWait: true, answer: install },
  { method: 'POST', path: `${prefix}/rollback`, needsToken: true, answer: rollBack },
  { method: 'POST', path: `${prefix}/cancel`, needsToken: true, answer: cancel },
];

async function status({ reporter, statusForm }: Service): Promise<Response> {
  const report = await reporter.read();
  return json(statusForm === 'homie' ? report : raucStatusOf(report));
}

async function install({ device: { config, log }, jobs }: Service, request: Request): Promise<Response> {
  const { bundleFolder } = config.update;
  const named = readQuery(request.url, bundleFolder);
  const body = await readJson(request);
  if (named !== undefined && body !== undefined)
    throw new HttpRefusal(400, 'Expected the bundle in the query or in the body, and not in both');
  const source = named ?? readSource(body, bundleFolder);
  const shown = redact(source);
  const job = await jobs.begin('install', ['install', source], shown);
  log.info(`Began to install "${shown}", job ${job.id}`);
  if (named === undefined || prefersJob(request.headers)) return accepted(job);
  const ended = await jobs.ended(job.id, request.signal);
  return ended === undefined ? accepted(job) : guideAnswerOf(ended);
}

async function rollBack({ device: { log }, jobs }: Service, request: Request): Promise<Response> {
  const isSure = readRollback(await readJson(request));
  const job = await jobs.begin('rollback', ['rollback', ...(isSure ? ['--yes'] : [])], null);
  log.info(`Began to roll back, job ${job.id}`);
  return accepted(job);
}

async function cancel({ device: { log }, jobs }: Service, request: Request): Promise<Response> {
  if ((await readJson(request)) !== undefined) throw new HttpRefusal(400, 'Expected no body');
  const { exitCode, lastLine } = await jobs.cancel(['cancel']);
  const outcome = outcomeOf(exitCode) ?? 'failed';
  if (outcome !== 'done' && outcome !== 'rebootNeeded') throw new Failure(lastLine, { outcome });
  log.info(`Asked to cancel: ${lastLine}`);
  return json({ message: lastLine, exitCode: exitCodeOf(outcome) });
}

function findJob(jobs: Jobs, id: string): Job & JobStanding {
  const job = jobs.last();
  if (job?.id !== id)
    throw new HttpRefusal(404, 'Only the last job of this boot is known, and it is another one');
  return job;
}

function accepted(job: Job & JobStanding): Response {
  return json(job, 202, { Location: `${prefix}/jobs/${job.id}` });
}
