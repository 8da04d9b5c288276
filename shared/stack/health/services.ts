import type { Service } from '../compose-config.ts';
import type { Container } from '../container.ts';
import { type HealthCheck, type HealthResult, healthy } from './check.ts';
import type { FindStack } from './stack.ts';

const budgetMs = 20_000;

/** Every service of the compose file runs as the file says, and stays up between two rounds. */
export function composeCheck(find: FindStack): HealthCheck {
  let before: readonly Container[] = [];
  return {
    name: 'compose',
    isRequired: true,
    budgetMs,
    async run(signal) {
      const stack = await find(signal);
      const now = await stack.containers({ signal });
      const result = judgeContainers(stack.services(), now, before);
      before = now;
      return result;
    },
  };
}

/** The faults of the services' containers, by service; `before` holds the containers of the last round. */
export function judgeContainers(
  services: readonly Service[],
  now: readonly Container[],
  before: readonly Container[] = [],
): HealthResult {
  const faults: Record<string, string> = {};
  for (const { name, image } of services) {
    const own = now.filter(({ service }) => service === name);
    const fault =
      own.length === 0
        ? 'has no container'
        : own.map((container) => faultOf(container, image, before)).find((found) => found !== undefined);
    if (fault !== undefined) faults[name] = `"${name}" ${fault}`;
  }
  const lines = Object.values(faults);
  return lines.length === 0 ? healthy : { isHealthy: false, reason: lines.join(', '), faults };
}

function faultOf(
  container: Container,
  image: string | undefined,
  before: readonly Container[],
): string | undefined {
  const { state, exitCode, health, restartPolicy } = container;
  // At a boot Docker restarts the old version's containers, and they may be healthy.
  if (image !== undefined && container.image !== image) return `still runs "${container.image}"`;
  // A service that is to run only once has no policy that would restart it after a success.
  const isOneShot = restartPolicy === 'no' || restartPolicy === 'on-failure';
  if (state === 'exited' && exitCode === 0 && isOneShot) return undefined;
  if (state === 'restarting') return `restarts again and again (it ended with ${exitCode})`;
  if (state === 'exited') return `has ended with ${exitCode}`;
  if (state !== 'running') return `is ${state}`;
  return (
    restartOf(container, before) ?? (health === 'none' || health === 'healthy' ? undefined : `is ${health}`)
  );
}

function restartOf(container: Container, before: readonly Container[]): string | undefined {
  const seen = before.filter(({ service }) => service === container.service);
  const same = seen.find(({ id }) => id === container.id);
  if (same === undefined) return seen.length === 0 ? undefined : 'was created again';
  if (same.state !== 'running' || same.startedAt === container.startedAt) return undefined;
  const { restartCount } = container;
  return restartCount > same.restartCount
    ? `restarted ${restartCount === 1 ? 'once' : `${restartCount} times`}`
    : 'was started again';
}
