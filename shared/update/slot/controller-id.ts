import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FleetConfig } from '../../config/fleet-keys.ts';
import { Failure, reasonOf } from '../../system/failure.ts';
import type { Places } from '../../system/places.ts';

/**
 * The name of this device at the fleet's server: as configured, else a hash of the machine id, which every update copies
 * to the new slot. Not the machine id itself: that must stay confidential (machine-id(5)). Throws a usage Failure.
 */
export function controllerIdOf({ controllerId }: FleetConfig, places: Places): string {
  return controllerId ?? `homie-${hashOf(readMachineId(places.root))}`;
}

function hashOf(machineId: string): string {
  return createHash('sha256').update(`homie fleet ${machineId}`).digest('hex').slice(0, 16);
}

function readMachineId(root: string): string {
  const path = join(root, 'etc/machine-id');
  let text = '';
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw noName(reasonOf(error));
  }
  if (/^[0-9a-f]{32}$/.test(text)) return text;
  throw noName(`"${path}" holds no machine id`);
}

function noName(reason: string): Failure {
  return new Failure(`Cannot name this device to the fleet's server: ${reason}`, {
    outcome: 'usage',
    advice: 'Set update.fleet_controller_id in orchestrator.yaml',
  });
}
