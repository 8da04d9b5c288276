import { Failure } from '../system/failure.ts';
import { CommandFailure, command } from '../system/process/command.ts';
import { outcomeOfRefusal } from './bundle-refusal.ts';
import { isBusyAnswer } from './busy.ts';
import { handlerRefusal } from './handler-refusal.ts';

/** The image write alone takes minutes on a card; only a service that hangs for good takes this long. */
const installDeadlineMs = 4 * 60 * 60_000;
/** `rauc install` (manual, "Exit codes"): D-Bus error, the service went away, or it is busy. */
const serviceTrouble = 2;

export interface InstallOptions {
  /** Called with RAUC's progress as it comes. */
  onProgress?: (percent: number, what: string) => void;
  signal?: AbortSignal;
}

/** Lets RAUC install the bundle. Throws a Failure whose reason is RAUC's LastError. */
export async function installBundle(path: string, options: InstallOptions = {}): Promise<void> {
  let lastError: string | undefined;
  const onLine = (line: string): void => {
    lastError = /^LastError: (.*)$/.exec(line.trim())?.[1] ?? lastError;
    const progress = /^\s*(\d+)% (.*)$/.exec(line);
    if (progress?.[1] !== undefined) options.onProgress?.(Number(progress[1]), progress[2] ?? '');
  };
  try {
    await command({ deadlineMs: installDeadlineMs, signal: options.signal, onLine })`rauc install ${path}`;
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    throw installFailure(path, error, lastError);
  }
}

/** RAUC started to install the bundle, and failed. */
export class RaucRefusal extends Failure {
  /** RAUC's LastError. */
  readonly raucReason: string;

  constructor(path: string, raucReason: string, cause: unknown) {
    const refusal = handlerRefusal(raucReason);
    const outcome = outcomeOfRefusal(raucReason);
    super(`Cannot install "${path}": ${refusal?.reason ?? raucReason}`, {
      cause,
      ...(outcome && { outcome }),
      ...(refusal && { outcome: refusal.outcome, advice: 'See "journalctl -u rauc" for its reason' }),
    });
    this.raucReason = raucReason;
  }

  /** Whether a slot hook has failed; its last line went to RAUC's journal. */
  get isOfSlotHook(): boolean {
    return this.raucReason.includes('failed to run slot hook');
  }
}

function installFailure(path: string, error: CommandFailure, lastError: string | undefined): Failure {
  if (lastError !== undefined) return new RaucRefusal(path, lastError, error);
  if (error.exitCode !== serviceTrouble)
    return new Failure(`Cannot install "${path}": ${error.message}`, { cause: error });
  const isBusy = isBusyAnswer(error.stderr);
  return new Failure(
    `Cannot install "${path}": RAUC ${isBusy ? 'is busy with another one' : 'does not answer'}`,
    {
      outcome: isBusy ? 'busy' : 'tryLater',
      cause: error,
      advice: isBusy ? 'Wait until it has ended' : 'See "systemctl status rauc"',
    },
  );
}
