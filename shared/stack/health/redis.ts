import { type HealthCheck, type HealthResult, healthy, unhealthy } from './check.ts';
import { type FindStack, inServiceCheck, lastLineOf } from './stack.ts';

const budgetMs = 15_000;

/** Redis answers a PING. */
export function redisCheck(find: FindStack, service: string): HealthCheck {
  const argv = ['redis-cli', 'PING'];
  return inServiceCheck(find, { name: 'redis', service, budgetMs, argv, judge: judgePing });
}

/** redis-cli exits with 0 for every answer of the server. A server that asks for a password is up. */
function judgePing({
  exitCode,
  stdout,
  stderr,
}: {
  exitCode: number;
  stdout: string;
  stderr: string;
}): HealthResult {
  const said = lastLineOf(stdout);
  if (said === 'PONG' || said.startsWith('NOAUTH')) return healthy;
  return unhealthy(said || lastLineOf(stderr) || `redis-cli ends with ${exitCode}`);
}
