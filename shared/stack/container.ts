import * as v from 'valibot';
import { CommandFailure, command } from '../system/process/command.ts';

/**
 * A container of a compose project, as the engine shows it: the output of `ps` differs between the two generations of
 * compose.
 */
export interface Container {
  id: string;
  service: string;
  /** As the compose file named it when the container was made. */
  image: string;
  state: string;
  health: 'none' | 'starting' | 'healthy' | 'unhealthy';
  restartCount: number;
  restartPolicy: string;
  exitCode: number;
  /** The time of its last start: it also shows a restart that `restartCount` does not count. */
  startedAt: string;
}

export const composeLabel = {
  project: 'com.docker.compose.project',
  service: 'com.docker.compose.service',
  oneOff: 'com.docker.compose.oneoff',
} as const;

const askMs = 20_000;
const health = v.picklist(['starting', 'healthy', 'unhealthy']);
const inspectSchema = v.array(
  v.object({
    Id: v.string(),
    RestartCount: v.optional(v.number(), 0),
    State: v.object({
      Status: v.string(),
      ExitCode: v.number(),
      StartedAt: v.string(),
      Health: v.nullish(v.object({ Status: v.string() })),
    }),
    HostConfig: v.object({ RestartPolicy: v.nullish(v.object({ Name: v.string() })) }),
    Config: v.object({ Image: v.string(), Labels: v.nullish(v.record(v.string(), v.string())) }),
  }),
);

/** All containers of the project's services, stopped ones too, in the order of their services' names. */
export async function readContainers(project: string, signal?: AbortSignal): Promise<Container[]> {
  const run = command({ deadlineMs: askMs, signal });
  const labels = [`${composeLabel.project}=${project}`, `${composeLabel.oneOff}=False`];
  const filters = labels.map((label) => `--filter=label=${label}`);
  const { stdout } = await run`docker ps --all --no-trunc --quiet ${filters}`;
  const ids = stdout.split('\n').filter((id) => id !== '');
  if (ids.length === 0) return [];
  // docker reports an error for a container that is gone meanwhile, but still shows the others.
  const shown = await command({
    deadlineMs: askMs,
    signal,
    accept: [1],
  })`docker inspect --type=container ${ids}`;
  if (shown.exitCode !== 0 && !/no such/i.test(shown.stderr))
    throw new CommandFailure(`"docker" ended with 1 (${shown.stderr.trim()})`, 1, shown.stderr);
  return parseContainers(shown.stdout);
}

/** Reads what `docker inspect` prints. Throws on anything else. */
export function parseContainers(text: string): Container[] {
  return v
    .parse(inspectSchema, JSON.parse(text))
    .map(({ Id, RestartCount, State, HostConfig, Config }) => ({
      id: Id,
      service: Config.Labels?.[composeLabel.service] ?? '',
      image: Config.Image,
      state: State.Status,
      health: v.is(health, State.Health?.Status) ? State.Health.Status : ('none' as const),
      restartCount: RestartCount,
      restartPolicy: HostConfig.RestartPolicy?.Name || 'no',
      exitCode: State.ExitCode,
      startedAt: State.StartedAt,
    }))
    .sort((one, other) => one.service.localeCompare(other.service) || one.id.localeCompare(other.id));
}
