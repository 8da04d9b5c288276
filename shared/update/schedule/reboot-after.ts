import type { Config } from '../../config/config.ts';
import { cancelShutdown, readScheduledShutdown, scheduleReboot } from '../../stack/shutdown.ts';
import type { Running } from '../../system/process/program.ts';
import type { Log } from '../../system/terminal/log.ts';
import { choosePolicy, planReboot, type RebootPlan } from './reboot-plan.ts';

/** The reboot that an install ends with; `asked` is the command line's --reboot. Throws a usage Failure. */
export function rebootPlanOf(asked: string | undefined, { update }: Config, now: Date): RebootPlan {
  const { windows, timeZone } = update;
  const policy = choosePolicy(asked, update.reboot, windows.length);
  return planReboot(policy, { schedule: { windows, timeZone }, now });
}

/** Schedules the reboot, and logs when it happens or why there is none. Throws a Failure. */
export async function carryOutReboot(plan: RebootPlan, version: string, log: Log): Promise<void> {
  if (plan.kind === 'none') {
    if (plan.reason !== undefined) log.warn(`No reboot is scheduled: ${plan.reason}`);
    log.info('Reboot to try it: "systemctl reboot"');
    return;
  }
  const when = wordsOf(plan.minutes, plan.at);
  await scheduleReboot(
    plan.minutes,
    `Version ${version} is installed, rebooting ${when}. "update.sh cancel" keeps the version that runs, "shutdown -c" only puts the reboot off.`,
  );
  log.info(`Rebooting ${when} to try it; "update.sh cancel" keeps the version that runs`);
}

/** Cancels a scheduled reboot or shutdown; answers whether there was one. */
export async function cancelReboot({ log, signal }: Running): Promise<boolean> {
  const scheduled = await readScheduledShutdown(signal);
  if (scheduled === undefined) return false;
  await cancelShutdown();
  log.info(`Cancelled the ${scheduled.mode} that was scheduled for ${scheduled.at.toISOString()}`);
  return true;
}

function wordsOf(minutes: number, at: Date): string {
  if (minutes === 0) return 'now';
  if (minutes <= 60) return minutes === 1 ? 'in 1 minute' : `in ${minutes} minutes`;
  return `at ${at.toISOString()}`;
}
