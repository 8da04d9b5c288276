import { basename } from 'node:path';
import { parse } from 'yaml';

/** Reads the output of `compose config`, of both generations. */

export interface Service {
  name: string;
  /** As named in the compose file, with its digest; undefined for a service that is only built. */
  image: string | undefined;
}

export interface ComposeConfig {
  /** Only the second generation prints it. */
  project: string | undefined;
  /** The services that `up` starts: not those that wait for a profile, and not those with zero containers. */
  services: Service[];
}

/** Reads the output of `compose config`. Throws the parser's error. */
export function readComposeConfig(text: string, profiles: readonly string[] = []): ComposeConfig {
  const content: unknown = parse(text, { logLevel: 'error' });
  const name = fieldOf(content, 'name');
  const services = fieldOf(content, 'services');
  const entries = typeof services === 'object' && services !== null ? Object.entries(services) : [];
  return {
    project: typeof name === 'string' && name !== '' ? name : undefined,
    services: entries
      .filter(([, service]) => isStarted(service, profiles))
      .map(([service, content]) => ({ name: service, image: textOf(fieldOf(content, 'image')) })),
  };
}

/**
 * The name that `docker-compose up` in the folder gives its project: COMPOSE_PROJECT_NAME, from the environment or
 * the folder's .env, else the folder's name. Both generations keep small letters, digits, `-` and `_` only.
 */
export function projectNameOf(folder: string, env: Record<string, string | undefined>, dotEnv = ''): string {
  const wanted = env['COMPOSE_PROJECT_NAME'] || valueInDotEnv(dotEnv, 'COMPOSE_PROJECT_NAME');
  return normalized(wanted || basename(folder)) || 'default';
}

function normalized(name: string): string {
  return name.toLowerCase().replace(/[^-_a-z0-9]/g, '');
}

function valueInDotEnv(text: string, key: string): string | undefined {
  const lines = text.split('\n').map((line) => /^\s*(?:export\s+)?([\w.]+)\s*=\s*(.*?)\s*$/.exec(line));
  return lines.findLast((line) => line?.[1] === key)?.[2]?.replace(/^(['"])(.*)\1$/, '$2');
}

function isStarted(service: unknown, profiles: readonly string[]): boolean {
  const wanted = fieldOf(service, 'profiles');
  const isActive =
    !Array.isArray(wanted) || wanted.length === 0 || wanted.some((one) => profiles.includes(String(one)));
  const containers = fieldOf(service, 'scale') ?? fieldOf(fieldOf(service, 'deploy'), 'replicas') ?? 1;
  return isActive && containers !== 0;
}

function fieldOf(value: unknown, key: string): unknown {
  // An object that is no list may have fields of any name.
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
