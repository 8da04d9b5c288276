import { Failure } from '../system/failure.ts';
import { CommandFailure, command } from '../system/process/command.ts';
import { isBusyAnswer } from './busy.ts';

const markDeadlineMs = 30_000;

/** Refills the booted slot's attempts. It does not touch BOOT_ORDER. */
export async function markGood(signal?: AbortSignal): Promise<void> {
  await mark('mark-good', 'booted', 'Cannot mark the booted slot good', signal);
}

/**
 * Makes the slot the primary one and refills its attempts: the only way back, since `mark-bad` would leave one slot
 * in BOOT_ORDER (RAUC issue 1140).
 */
export async function markActive(slot: 'other' | 'booted', signal?: AbortSignal): Promise<void> {
  await mark('mark-active', slot, `Cannot mark the ${slot} slot active`, signal);
}

async function mark(
  verb: string,
  slot: string,
  message: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await command({ deadlineMs: markDeadlineMs, signal })`rauc status ${verb} ${slot}`;
  } catch (error) {
    if (error instanceof CommandFailure && isBusyAnswer(error.stderr))
      throw new Failure(`${message}: RAUC is busy with an install`, {
        outcome: 'busy',
        advice: 'Try again when it has ended',
        cause: error,
      });
    throw new Failure(`${message}: RAUC refused or did not answer`, { cause: error });
  }
}
