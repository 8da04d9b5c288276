import { sendDatagram } from '../files/libc.ts';

/** Notifications to systemd from a service of Type=notify (sd_notify(3)); none if systemd does not listen. */

export function tellManager(state: string, env = process.env): void {
  const socket = env['NOTIFY_SOCKET'];
  if (socket !== undefined) sendDatagram(socket, state);
}

/**
 * Milliseconds between two notifications to systemd's watchdog (WatchdogSec=): half of its limit. Undefined if it
 * does not wait for us.
 */
export function watchdogPauseMs(env = process.env): number | undefined {
  const wanted = Number(env['WATCHDOG_USEC'] ?? 0);
  const isForUs = (env['WATCHDOG_PID'] ?? String(process.pid)) === String(process.pid);
  return wanted > 0 && isForUs ? wanted / 2_000 : undefined;
}
