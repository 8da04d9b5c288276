import { findChecks } from '../../stack/health/find-checks.ts';
import type { Baseline, Verdict } from '../../stack/health/verdict.ts';
import { waitUntilHealthy } from '../../stack/health/wait.ts';
import type { Device } from '../transaction/device.ts';

/** What "healthy" means for this version, in addition to the config. */
export interface Standard {
  baseline?: Baseline;
  /** The alembic heads that the schema has to be at. */
  schemaHeads?: readonly string[] | undefined;
}

/**
 * Repeats all checks until they pass and keep passing, or until the deadline. Checks that failed before the update do not
 * count.
 */
export async function proveHealthy(
  { places, config, log, signal }: Device,
  { baseline = {}, schemaHeads }: Standard = {},
): Promise<Verdict> {
  const { healthDeadlineSeconds, settleSeconds } = config.update;
  const checks = await findChecks({
    root: places.root,
    config: config.update,
    ...(schemaHeads && { schemaHeads }),
    log,
    signal,
  });
  return await waitUntilHealthy({
    checks,
    baseline,
    deadlineMs: healthDeadlineSeconds * 1000,
    settleMs: settleSeconds * 1000,
    log,
    signal,
  });
}
