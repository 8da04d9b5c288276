import { giveAttemptBack } from '../../rauc/attempts.ts';
import type { Slots } from '../../rauc/status.ts';
import { reasonOf } from '../../system/failure.ts';
import { ToldToEnd } from '../../system/process/program.ts';
import type { Device } from '../transaction/device.ts';
import type { TransactionWriter } from '../transaction/transaction-writer.ts';

/** A limit, so that the trial ends even on a board that is rebooted again and again. */
const mostGivenBack = 10;

/**
 * Adds an undo step that gives the boot attempt back when a user reboots the board during a trial, so that systemd ends this
 * program. Such a reboot is no failed boot, and must not bring the fallback nearer. A power cut, a panic and the watchdog send
 * no signal, and count.
 */
export function oweAttempt(
  record: TransactionWriter,
  slots: Slots | undefined,
  { log, signal, undo }: Device,
): void {
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
        `Stopped during the trial: slot "${bootname}" has ${left} attempts left, this boot does not count`,
      );
    } catch (error) {
      log.warn(reasonOf(error));
    }
  });
}
