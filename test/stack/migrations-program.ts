import { migrate } from '../../shared/stack/migrations.ts';
import { ComposeContainers, quietLog } from '../data/database/database-stack.ts';

/** Migrates with the compose file of the folder, until it is killed. */
const { DOCKER_HOST = '', DOCKER_CONFIG = '' } = process.env;
await migrate({
  containers: new ComposeContainers(process.argv[2] ?? '', { DOCKER_HOST, DOCKER_CONFIG }),
  service: 'orchestrator',
  log: quietLog(),
  deadlineMs: 60_000,
  longestMs: 60_000,
  readNoted: async () => [],
});
