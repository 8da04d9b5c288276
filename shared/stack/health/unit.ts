import { command } from '../../system/process/command.ts';
import { type HealthCheck, healthy, unhealthy } from './check.ts';

const budgetMs = 10_000;

/** The orchestrator's unit is active, and not only starting: a unit that systemd restarts for ever is "activating". */
export function unitCheck(unit: string): HealthCheck {
  return {
    name: 'unit',
    isRequired: true,
    budgetMs,
    async run(signal) {
      const ask = command({ deadlineMs: budgetMs, accept: 'any', signal });
      const { exitCode, stdout, stderr } = await ask`systemctl is-active ${unit}`;
      if (exitCode === 0) return healthy;
      const said = stdout.trim() || stderr.trim() || `systemctl ends with ${exitCode}`;
      return unhealthy(`"${unit}" is not active (${said})`);
    },
  };
}
