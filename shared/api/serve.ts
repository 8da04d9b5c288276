import { join } from 'node:path';
import type { Outcome } from '../system/exit-code.ts';
import { Failure, reasonOf } from '../system/failure.ts';
import { apiSocketOf, logFileOf, type Places } from '../system/places.ts';
import { isLock, tryLock } from '../system/process/lock.ts';
import type { Running } from '../system/process/program.ts';
import { tellManager, watchdogPauseMs } from '../system/process/service-manager.ts';
import type { Values } from '../system/terminal/arguments.ts';
import type { Log } from '../system/terminal/log.ts';
import { type Device, openDevice, withConfig } from '../update/transaction/device.ts';
import { Events } from './events.ts';
import { Jobs } from './jobs.ts';
import { addressOf, listen } from './listen.ts';
import { problemOf } from './problem.ts';
import { answer } from './router.ts';
import type { Service } from './routes.ts';
import { StatusReader } from './status-reader.ts';
import { ensureToken } from './token.ts';

/** The program's own deadline; it is extended as long as the program runs. */
const deadlineMs = 10 * 60_000;
const usualPauseMs = 60_000;

/** Serves the API and its page until a signal. Jobs outlive it: it only starts them and reports their state. */
export async function serve(values: Values, running: Running): Promise<Outcome> {
  const device = withConfig(openDevice(values, running));
  const { places, log, undo } = device;
  log.alsoTo(logFileOf(places));
  undo.owe('release the lock of the API', takeServiceLock(places));
  const { apiListen, apiTokenFile } = device.config.update;
  if (ensureToken(apiTokenFile)) log.info(`Made a token: "${apiTokenFile}"`);

  const jobs = new Jobs(places, log);
  const reporter = new StatusReader(device, jobs);
  const events = new Events(reporter, log);
  const service: Service = { device, jobs, reporter, events, statusForm: 'homie' };
  const listenFor = (where: string, to: Service): Bun.Server<undefined> =>
    listen(
      where,
      (request, bun) => answer(request, to, (long) => bun.timeout(long, 0)),
      (error) => {
        log.warn(`An answer was interrupted: ${reasonOf(error)}`);
        return problemOf(error);
      },
    );
  const server = listenFor(apiListen, service);
  // Where api_listen names that very socket, it would take the place of the first.
  const forOrchestrator =
    apiListen === apiSocketOf(places)
      ? undefined
      : listenForOrchestrator(places, log, (path) => listenFor(path, { ...service, statusForm: 'rauc' }));
  undo.owe('stop listening', async () => {
    events.close();
    await Promise.all([server.stop(true), forOrchestrator?.stop(true)]);
  });
  const last = jobs.last();
  if (last?.state === 'running' || last?.state === 'starting')
    log.info(`Found the ${last.kind} again that is under way, job ${last.id}`);
  log.info(`Listening on "${addressOf(apiListen, server)}"`);
  tellManager('READY=1');
  await untilTold(device);
  tellManager('STOPPING=1');
  return 'done';
}

/**
 * The orchestrator passes requests on from its own container, which has the socket's folder: the socket is a new file after
 * each start. Without it the API still serves this device.
 */
function listenForOrchestrator(
  places: Places,
  log: Log,
  open: (path: string) => Bun.Server<undefined>,
): Bun.Server<undefined> | undefined {
  try {
    return open(apiSocketOf(places));
  } catch (error) {
    log.warn(`The orchestrator cannot pass requests on: ${reasonOf(error)}`);
    return undefined;
  }
}

/** Two services would start two jobs at once. */
function takeServiceLock(places: Places): () => void {
  const lock = tryLock(join(places.run, 'api.lock'), 'update.sh serve');
  if (isLock(lock)) return () => lock.release();
  throw new Failure(`Cannot serve: process ${lock.pid} serves already`, { outcome: 'busy' });
}

/** Notifies systemd's watchdog as long as the event loop of this process runs. */
async function untilTold({ signal, allow }: Device): Promise<void> {
  const told = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => told.resolve(), { once: true });
  if (signal.aborted) told.resolve();
  const live = (): void => {
    allow(deadlineMs);
    tellManager('WATCHDOG=1');
  };
  live();
  const timer = setInterval(live, Math.min(watchdogPauseMs() ?? usualPauseMs, usualPauseMs));
  try {
    await told.promise;
  } finally {
    clearInterval(timer);
  }
}
