/** One question about the running system. */
export interface HealthCheck {
  name: string;
  /** A check that is not required is reported, but decides nothing. */
  isRequired: boolean;
  /** The longest time that it may take; after it the check counts as failed. */
  budgetMs: number;
  /** Ends when the signal is aborted; a thrown error is the reason of the failed check. */
  run(signal: AbortSignal): Promise<HealthResult>;
}

export type HealthResult = { isHealthy: true } | Unhealthy;

export interface Unhealthy {
  isHealthy: false;
  reason: string;
  /** If a check finds several faults: one line each, by the thing at fault, so that an old fault excuses no new one. */
  faults?: Readonly<Record<string, string>>;
}

export const healthy: HealthResult = { isHealthy: true };

export function unhealthy(reason: string): Unhealthy {
  return { isHealthy: false, reason };
}
