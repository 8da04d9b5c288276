import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The config's update part, in its own words. */
export type Settings = Record<string, string | number>;

/** What Engine says of itself once it runs; services of the device get it from their first boot on. */
export function environmentOf(folder: string): Record<string, string> {
  return {
    DOCKER_HOST: `unix://${folder}/socket`,
    DOCKER_CONFIG: `${folder}/client`,
    DOCKER_BUILDKIT: '0',
  };
}

/** The config on the data partition: what every scenario needs, and this. */
export function writeConfig(data: string, healthUrl: string, update: Settings): void {
  const folder = join(data, 'config');
  mkdirSync(folder, { recursive: true });
  const settings = {
    health_url: healthUrl,
    health_deadline_seconds: 60,
    settle_seconds: 2,
    reserve_mib: 8,
    ...update,
  };
  const lines = Object.entries(settings).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}\n`);
  const storage = `orchestrator:\n  storage:\n    data_path: ${JSON.stringify(data)}\n`;
  writeFileSync(join(folder, 'orchestrator.yaml'), `${storage}update:\n${lines.join('')}`);
}
