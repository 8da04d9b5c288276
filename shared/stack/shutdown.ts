import { Failure, reasonOf } from '../system/failure.ts';
import { command } from '../system/process/command.ts';

/** A reboot at a set time, through shutdown(8): systemd-logind keeps the time and warns the logged-in users. */

const deadlineMs = 30_000;

export interface ScheduledShutdown {
  /** systemd's word: `reboot`, `poweroff`, `halt`. */
  mode: string;
  at: Date;
}

/**
 * Replaces a scheduled reboot. The message goes to every terminal. Without systemd-logind the shutdown(8) of older
 * systems shuts down at once: then it is not called, and a Failure is thrown.
 */
export async function scheduleReboot(minutes: number, message: string): Promise<void> {
  if (minutes > 0) await requireLogind();
  try {
    await command({ deadlineMs })`shutdown -r ${`+${minutes}`} ${message}`;
  } catch (error) {
    throw new Failure(`Cannot schedule the reboot: ${reasonOf(error)}`, {
      cause: error,
      advice: 'Run "systemctl reboot"',
    });
  }
}

/** Harmless where nothing is scheduled. */
export async function cancelShutdown(): Promise<void> {
  try {
    await command({ deadlineMs })`shutdown -c`;
  } catch (error) {
    throw new Failure(`Cannot cancel the reboot: ${reasonOf(error)}`, {
      cause: error,
      advice: 'Run "shutdown -c"',
    });
  }
}

async function requireLogind(): Promise<void> {
  try {
    await askLogind();
  } catch (error) {
    throw new Failure('Cannot schedule the reboot: systemd-logind does not answer', {
      cause: error,
      advice: 'See "systemctl status systemd-logind"',
    });
  }
}

async function askLogind(signal?: AbortSignal): Promise<string> {
  const ask = command({ deadlineMs, signal });
  const login = ['org.freedesktop.login1', '/org/freedesktop/login1', 'org.freedesktop.login1.Manager'];
  return (await ask`busctl get-property ${login} ScheduledShutdown`).stdout;
}

/**
 * The scheduled shutdown, regardless of the program that asked for it; undefined if there is none, or systemd-logind
 * does not answer (a chroot).
 */
export async function readScheduledShutdown(signal?: AbortSignal): Promise<ScheduledShutdown | undefined> {
  try {
    return parseScheduled(await askLogind(signal));
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}

/** `(st) "reboot" 1767323045000000`: microseconds of Unix time; without a mode nothing is scheduled. */
export function parseScheduled(answer: string): ScheduledShutdown | undefined {
  const [, mode, micros] = /^\(st\) "([\w-]+)" (\d+)$/.exec(answer.trim()) ?? [];
  const at = new Date(Number(micros) / 1000);
  return mode === undefined || Number.isNaN(at.getTime()) ? undefined : { mode, at };
}
