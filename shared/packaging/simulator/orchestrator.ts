import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EmbeddedDevice } from '../device/running-device.ts';

/** A stand-in for the orchestrator on the embedded device: a service that answers /health, and a config to back up. */

export interface Orchestrator {
  healthUrl: string;
}

/** Adds config and service to the device, but does not start the service. Its port is free now; only loopback is used. */
export function addOrchestrator(device: EmbeddedDevice): Orchestrator {
  const port = freePort();
  const healthUrl = `http://127.0.0.1:${port}/health`;
  const config = join(device.dataFolder, 'config');
  mkdirSync(join(config, 'core'), { recursive: true });
  writeFileSync(join(config, 'orchestrator.yaml'), orchestratorYaml(device.dataFolder, healthUrl));
  writeFileSync(join(config, 'core', 'rooms.yaml'), 'rooms: [kitchen, hall, attic]\n');
  device.addService('homie-orchestrator', [
    process.execPath,
    join(import.meta.dir, 'health-server.ts'),
    String(port),
  ]);
  return { healthUrl };
}

function orchestratorYaml(data: string, healthUrl: string): string {
  return `orchestrator:
  storage:
    data_path: "${data}"
    config_path: "${data}/config"
    backup_path: "${data}/backups"

update:
  health_url: "${healthUrl}"
  health_deadline_seconds: 30
  settle_seconds: 1
  reserve_mib: 8
`;
}

function freePort(): number {
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() });
  const { port } = server;
  server.stop(true);
  if (port === undefined) throw new Error('a server without a port');
  return port;
}
