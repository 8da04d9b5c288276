import { join } from 'node:path';
import { Deadline, pause } from '../system/deadline.ts';
import type { Outcome } from '../system/exit-code.ts';
import { Failure, reasonOf } from '../system/failure.ts';
import { logFileOf, type Places } from '../system/places.ts';
import { waitForClock } from '../system/process/clock.ts';
import { isLock, tryLock } from '../system/process/lock.ts';
import type { Running } from '../system/process/program.ts';
import { tellManager, watchdogPauseMs } from '../system/process/service-manager.ts';
import type { Values } from '../system/terminal/arguments.ts';
import type { Log } from '../system/terminal/log.ts';
import { DdiLine, DdiRefusal } from '../transfer/request/ddi-line.ts';
import { type BareDevice, openDevice, withConfig } from '../update/transaction/device.ts';
import { FleetAgent } from './agent.ts';
import { HomieDevice } from './homie-device.ts';
import { afterFailureMs, withJitter } from './polling.ts';
import { fleetServerOf } from './server.ts';

/** The program's own deadline; it is extended as long as the program runs. */
const deadlineMs = 10 * 60_000;
const usualPauseMs = 60_000;
/** How often the agent looks for a verdict, which does not wait for the next round. */
const lookEveryMs = 2_000;
const usualIntervalMs = 5 * 60_000;

/** Runs the agent of the fleet until a signal; with --once, for one round. */
export async function runAgent(values: Values, running: Running): Promise<Outcome> {
  const device = openDevice(values, running);
  const { places, log, undo, signal } = device;
  log.alsoTo(logFileOf(places));
  const make = (): FleetAgent => makeAgent(device);
  const agent = make();
  undo.owe('release the lock of the agent', takeAgentLock(places));
  const stay = stayAlive(device);
  undo.owe('stop the watchdog', stay);
  await waitForClock({ log, signal });
  tellManager('READY=1');
  if (values.flag('once')) {
    await agent.round();
    return 'done';
  }
  try {
    await goRound(agent, make, device);
  } finally {
    tellManager('STOPPING=1');
  }
  return 'done';
}

function makeAgent(device: BareDevice): FleetAgent {
  const { log, signal } = device;
  const { fleet, server } = fleetServerOf(withConfig(device));
  log.info(`Asking the fleet's server "${server.base}"`);
  return new FleetAgent(new DdiLine(server, signal), new HomieDevice(device, server), {
    log,
    signal,
    consent: fleet.consent,
  });
}

async function goRound(first: FleetAgent, make: () => FleetAgent, { log, signal }: Running): Promise<void> {
  let agent = first;
  let interval = usualIntervalMs;
  let failures = 0;
  let told = '';
  while (!signal.aborted) {
    let pauseMs: number;
    let isShutOut = false;
    try {
      interval = await agent.round();
      if (failures > 0) log.info("The fleet's server answers again");
      [failures, told] = [0, ''];
      pauseMs = interval;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Failure)) throw error;
      failures += 1;
      const reason = reasonOf(error);
      // An outage that lasts all night is logged once.
      if (reason !== told) log.warn(reason);
      told = reason;
      pauseMs = afterFailureMs(failures, interval);
      // The config may name a new token by then.
      if (error instanceof DdiRefusal && (error.status === 401 || error.status === 403)) isShutOut = true;
    }
    await waitForNews(agent, withJitter(pauseMs, Math.random()), signal);
    if (isShutOut && !signal.aborted) agent = again(make, agent, log);
  }
}

/** An agent with the present config; the previous agent where that config cannot be used. */
function again(make: () => FleetAgent, agent: FleetAgent, log: Log): FleetAgent {
  try {
    return make();
  } catch (error) {
    log.warn(reasonOf(error));
    return agent;
  }
}

async function waitForNews(agent: FleetAgent, ms: number, signal: AbortSignal): Promise<void> {
  const deadline = new Deadline(ms);
  try {
    const hadNews = agent.hasNews();
    while (!deadline.isOver && (hadNews || !agent.hasNews()))
      await pause(Math.min(lookEveryMs, deadline.leftMs), signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Two agents would carry out one action twice. */
function takeAgentLock(places: Places): () => void {
  const lock = tryLock(join(places.run, 'agent.lock'), 'update.sh agent');
  if (isLock(lock)) return () => lock.release();
  throw new Failure(`Cannot run the agent: process ${lock.pid} runs it already`, { outcome: 'busy' });
}

/** Notifies systemd's watchdog as long as the event loop of this process runs. */
function stayAlive(running: Running): () => void {
  const live = (): void => {
    running.allow(deadlineMs);
    tellManager('WATCHDOG=1');
  };
  live();
  const timer = setInterval(live, Math.min(watchdogPauseMs() ?? usualPauseMs, usualPauseMs));
  return () => clearInterval(timer);
}
