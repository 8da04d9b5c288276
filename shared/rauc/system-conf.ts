import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMissing } from '../system/failure.ts';
import { parseKeyFile, valueIn } from './key-file.ts';

/** A slot as `system.conf` describes it. */
export interface ConfiguredSlot {
  name: string;
  class: string;
  device: string;
}

export interface SystemConf {
  path: string;
  compatible: string | undefined;
  slots: ConfiguredSlot[];
}

/** The paths in RAUC's own order (from 1.13 on; before, only the first). */
const places = ['etc/rauc/system.conf', 'run/rauc/system.conf', 'usr/lib/rauc/system.conf'];

/** RAUC's configuration, for a hook that must not ask RAUC itself; undefined where none is found. */
export function readSystemConf(root: string, env = process.env): SystemConf | undefined {
  const named = env['RAUC_SYSTEM_CONFIG'];
  for (const path of named === undefined ? places.map((place) => join(root, place)) : [named]) {
    try {
      return parseSystemConf(readFileSync(path, 'utf8'), path);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return undefined;
}

function parseSystemConf(text: string, path: string): SystemConf {
  const file = parseKeyFile(text);
  const slots = file.groups.flatMap(({ name }) => {
    const [kind, slotClass, index] = name.split('.');
    const device = valueIn(file, name, 'device');
    if (kind !== 'slot' || slotClass === undefined || index === undefined || device === undefined) return [];
    return [{ name: `${slotClass}.${index}`, class: slotClass, device }];
  });
  return { path, compatible: valueIn(file, 'system', 'compatible'), slots };
}
