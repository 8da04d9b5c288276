import { sendDatagram } from '../files/libc.ts';

/** What systemd is told by a service of Type=notify (sd_notify(3)); nothing where it does not listen. */

export function tellManager(state: string, env = process.env): void {
  const socket = env['NOTIFY_SOCKET'];
  if (socket !== undefined) sendDatagram(socket, state);
}

/** How often it wants to hear from us (WatchdogSec=): twice as often as it must. None where it does not wait. */
export function watchdogPauseMs(env = process.env): number | undefined {
  const wanted = Number(env['WATCHDOG_USEC'] ?? 0);
  const isForUs = (env['WATCHDOG_PID'] ?? String(process.pid)) === String(process.pid);
  return wanted > 0 && isForUs ? wanted / 2_000 : undefined;
}
