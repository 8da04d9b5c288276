import type { FleetConfig } from '../config/fleet-keys.ts';
import { Failure } from '../system/failure.ts';
import { type DdiServer, ddiServerOf } from '../transfer/request/ddi-line.ts';
import { controllerIdOf } from '../update/slot/controller-id.ts';
import type { Device } from '../update/transaction/device.ts';

/** The server that the config names. Throws a usage Failure where it names none, or a secret is not kept safely. */
export function fleetServerOf({ config, places }: Device): { fleet: FleetConfig; server: DdiServer } {
  const { fleet } = config.update;
  if (fleet === undefined)
    throw new Failure('Cannot reach the fleet: update.fleet_url in orchestrator.yaml names no server', {
      outcome: 'usage',
      advice: 'See docs/fleet.md',
    });
  return { fleet, server: ddiServerOf(fleet, controllerIdOf(fleet, places), config.update) };
}
