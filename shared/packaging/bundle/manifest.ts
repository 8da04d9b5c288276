import { Failure } from '../../system/failure.ts';

export interface ManifestFields {
  /** `compatible` of the board, as in its system.conf. */
  compatible: string;
  version: string;
  /** `YYYYMMDDhhmmss`, UTC. */
  build: string;
  /** The source's git revision, short. */
  revision: string;
  format: string;
  /** The hook's path in the bundle. */
  hook: string;
}

/** Renders `manifest.raucm` from our `bundle.conf`. Throws a usage Failure for a field that is not in `fields`. */
export function renderManifest(source: string, fields: ManifestFields): string {
  const known = new Map<string, string>(Object.entries(fields));
  const lines = source.split('\n').map((text, index) => {
    if (text.startsWith('#')) return '';
    return text.replace(/\$\{([^}]*)\}/g, (_field, name: string) => {
      const value = known.get(name);
      if (value !== undefined) return value;
      throw new Failure(`Cannot render bundle.conf: line ${index + 1}, field "\${${name}}" is not known`, {
        outcome: 'usage',
        advice: `Known are ${[...known.keys()].join(', ')}`,
      });
    });
  });
  return `${lines.join('\n').trim()}\n`;
}

/** The time of the build: SOURCE_DATE_EPOCH (reproducible-builds.org) if it is set, else now. Throws a usage Failure. */
export function buildTime(env = process.env): Date {
  const epoch = env['SOURCE_DATE_EPOCH'];
  if (epoch === undefined || epoch === '') return new Date();
  if (/^\d{1,11}$/.test(epoch)) return new Date(Number(epoch) * 1000);
  throw new Failure(`Cannot use SOURCE_DATE_EPOCH "${epoch}": seconds since 1970 were expected`, {
    outcome: 'usage',
  });
}

/** `20261123170000` */
export function buildStamp(time: Date): string {
  return time.toISOString().replace(/[-:T]/g, '').slice(0, 14);
}

export function epochSeconds(time: Date): number {
  return Math.floor(time.getTime() / 1000);
}
