import { join } from 'node:path';
import type { Outcome } from '../system/exit-code.ts';
import { Failure, reasonOf } from '../system/failure.ts';
import { logFileOf, type Places } from '../system/places.ts';
import { isLock, tryLock } from '../system/process/lock.ts';
import type { Running } from '../system/process/program.ts';
import { tellManager, watchdogPauseMs } from '../system/process/service-manager.ts';
import type { Values } from '../system/terminal/arguments.ts';
import { type Device, openDevice, withConfig } from '../update/transaction/device.ts';
import { Events } from './events.ts';
import { Jobs } from './jobs.ts';
import { addressOf, listen } from './listen.ts';
import { problemOf } from './problem.ts';
import { answer } from './router.ts';
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
  const service = { device, jobs, reporter, events };
  const server = listen(
    apiListen,
    (request, bun) => answer(request, service, (stream) => bun.timeout(stream, 0)),
    (error) => {
      log.warn(`An answer was interrupted: ${reasonOf(error)}`);
      return problemOf(error);
    },
  );
  undo.owe('stop listening', async () => {
    events.close();
    await server.stop(true);
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
