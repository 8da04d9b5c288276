/** One question about the running system. */
export interface HealthCheck {
  name: string;
  /** One that is only wanted is told, and decides nothing. */
  isRequired: boolean;
  /** What it may cost; later it counts as failed. */
  budgetMs: number;
  /** Ends when told to; what it throws is its reason. */
  run(signal: AbortSignal): Promise<CheckResult>;
}

export type CheckResult = { isHealthy: true } | Unhealthy;

export interface Unhealthy {
  isHealthy: false;
  reason: string;
  /** Where a check finds several things wrong: one line each, by what is wrong, so that old ones excuse no new one. */
  faults?: Readonly<Record<string, string>>;
}

export const healthy: CheckResult = { isHealthy: true };

export function unhealthy(reason: string): Unhealthy {
  return { isHealthy: false, reason };
}
