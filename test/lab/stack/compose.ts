import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { project } from '../../../shared/packaging/project.ts';
import { database } from '../../rig/stack/compose-file.ts';
import { imageName } from '../../rig/stack/images.ts';
import type { Release } from '../../rig/stack/releases.ts';

/** What each version of the board runs: the compose file that every device begins with, its images those of our registry. */

/** As the board names it, at the other end of its cable. */
const registryName = 'registry.homie.local:80';
export const composePath = 'opt/homie_orchestrator/docker-compose.yml';

interface StackVersion {
  /** Of core and orchestrator. */
  release: Release;
  /** What core does wrong: see test/rig/stack/images/homie_core/core.py. */
  behaviour?: string;
  /** If the database has no tables yet. */
  isFirst?: true;
}

const versions = {
  '1.0.0': { release: '1.0.0', isFirst: true },
  '1.1.0': { release: '2.0.0' },
  '1.2.0': { release: '2.0.0', behaviour: 'never-healthy' },
} as const satisfies Record<string, StackVersion>;

/** The revision of each version's database. */
export const schemas = { before: '0002', after: '0003' } as const;

export function composeFileOf(version: keyof typeof versions): string {
  const { release, behaviour = '', isFirst }: StackVersion = versions[version];
  const { user, password, name } = database;
  const url = `postgresql://${user}:${encodeURIComponent(password)}@postgres/${name}`;
  const services = defaultServices();
  // A Python that is process 1 would not end at SIGTERM.
  const python = { init: true };
  const { ports, ...orchestrator } = services['orchestrator'] ?? {};
  const fitted = {
    ...services,
    postgres: {
      ...services['postgres'],
      image: imageName(registryName, 'postgres', '15'),
      environment: { POSTGRES_USER: user, POSTGRES_PASSWORD: password, POSTGRES_DB: name },
    },
    redis: { ...services['redis'], image: imageName(registryName, 'redis', '7') },
    // It is core that answers /health here.
    homie_core: {
      ...services['homie_core'],
      ...python,
      ports,
      image: imageName(registryName, 'homie_core', release),
      environment: { DATABASE_URL: url, HOMIE_BEHAVIOUR: behaviour },
    },
    orchestrator: {
      ...orchestrator,
      ...python,
      image: imageName(registryName, 'orchestrator', release),
      environment: { DATABASE_URL: url },
      ...(isFirst ? { command: ['sh', '-c', makeTables] } : {}),
    },
  };
  return stringify({ services: fitted });
}

/** The database may still be on its way. */
const makeTables = 'until python -m alembic upgrade head; do sleep 2; done; exec python service.py';

function defaultServices(): Record<string, Record<string, unknown> | undefined> {
  const file = join(project.skeleton, 'device/usr/share/homie/docker-compose.yml');
  return parse(readFileSync(file, 'utf8')).services;
}
