import { giveAttemptBack } from '../../rauc/attempts.ts';
import { reasonOf } from '../../system/failure.ts';
import { ToldToEnd } from '../../system/process/program.ts';
import type { UpdateRecord } from '../transaction/record.ts';
import type { Boot } from './booted.ts';

/** Enough for any patience; a board that somebody reboots for ever still comes to an end. */
const mostGivenBack = 10;

/**
 * Somebody reboots the board in the middle of a trial: systemd tells us to end. That is no failed boot, and must not
 * bring the fallback nearer. A power cut, a panic and the watchdog tell nobody, and count.
 */
export function oweAttempt(record: UpdateRecord, { running, slots }: Boot): void {
  const { log, signal, undo } = running;
  const bootname = slots?.booted?.bootname;
  undo.owe('give the boot attempt back', async () => {
    const given = record.transaction.attemptsGivenBack ?? 0;
    if (
      !(signal.reason instanceof ToldToEnd) ||
      bootname === undefined ||
      record.transaction.isClosed ||
      given >= mostGivenBack
    )
      return;
    try {
      const left = await giveAttemptBack(bootname);
      record.note({ attemptsGivenBack: given + 1 });
      log.info(
        `Told to end during the trial: slot "${bootname}" has ${left} attempts left, this boot does not count`,
      );
    } catch (error) {
      log.warn(reasonOf(error));
    }
  });
}
