import { stringify } from 'yaml';
import { imageName } from './images.ts';
import type { Release } from './releases.ts';

export interface ComposeOptions {
  /** The registry's name: `127.0.0.1:5000`. */
  registry: string;
  release: Release;
  /** The guide's /data. */
  dataFolder: string;
  /** Where core answers, on 127.0.0.1. */
  port: number;
  /** What core does wrong: see images/homie_core/core.py. */
  behaviour?: string;
  /** How long each step of 2.0.2-slow takes. */
  stepSeconds?: number;
}

export const database = { user: 'homie', password: 'a test password', name: 'homie' } as const;

/** The guide's stack, for docker-compose 1.29. */
export function composeFile(options: ComposeOptions): string {
  const { registry, release, dataFolder, port, behaviour = '', stepSeconds = 1 } = options;
  const { user, password, name } = database;
  const url = `postgresql://${user}:${encodeURIComponent(password)}@postgres/${name}`;
  // A Python that is process 1 would not end at SIGTERM.
  const python = { init: true };
  const service = { restart: 'unless-stopped', stop_grace_period: '10s' };
  return stringify({
    version: '2.4',
    services: {
      postgres: {
        ...service,
        image: imageName(registry, 'postgres', '15'),
        environment: { POSTGRES_USER: user, POSTGRES_PASSWORD: password, POSTGRES_DB: name },
        volumes: [`${dataFolder}/postgres:/var/lib/postgresql/data`],
        healthcheck: healthcheck('pg_isready', '--host=127.0.0.1', `--username=${user}`),
      },
      redis: {
        ...service,
        image: imageName(registry, 'redis', '7'),
        volumes: [`${dataFolder}/redis:/data`],
        healthcheck: healthcheck('redis-cli', 'ping'),
      },
      homie_core: {
        ...service,
        ...python,
        image: imageName(registry, 'homie_core', release),
        environment: { DATABASE_URL: url, HOMIE_BEHAVIOUR: behaviour },
        volumes: [`${dataFolder}/config/core:/config`, `${dataFolder}/core:/data`],
        ports: [`127.0.0.1:${port}:8080`],
        depends_on: { postgres: { condition: 'service_healthy' }, redis: { condition: 'service_healthy' } },
        healthcheck: healthcheck('wget', '-q', '-O', '-', 'http://127.0.0.1:8080/health'),
      },
      orchestrator: {
        ...service,
        ...python,
        image: imageName(registry, 'orchestrator', release),
        environment: { DATABASE_URL: url, STEP_SECONDS: String(stepSeconds) },
        depends_on: { postgres: { condition: 'service_healthy' } },
      },
    },
  });
}

function healthcheck(...test: string[]): unknown {
  return { test: ['CMD', ...test], interval: '1s', timeout: '5s', retries: 30 };
}
