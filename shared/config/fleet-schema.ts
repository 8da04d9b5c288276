import * as v from 'valibot';

/** The config keys of the fleet's server; without `fleet_url` the device belongs to no fleet. */

const absolutePath = v.pipe(v.string(), v.regex(/^\//, 'a path from the root, like /data/config'));
const plainName = v.pipe(v.string(), v.regex(/^[\w.:-]{1,128}$/, 'a name of letters, digits and .:_-'));

export const fleetEntries = {
  fleet_url: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^https?:\/\/[^\s/@?#]+(?:\/[^\s?#]*)?$/, 'a URL with https:// or http://, and no user in it'),
    ),
  ),
  fleet_tenant: v.optional(plainName),
  fleet_controller_id: v.optional(plainName),
  fleet_target_token_file: v.optional(absolutePath),
  fleet_gateway_token_file: v.optional(absolutePath),
  fleet_consent: v.optional(v.picklist(['automatic', 'ask'], 'automatic or ask')),
};

const fleetSchema = v.object(fleetEntries);

/** The server of the fleet that this device belongs to. */
export interface FleetConfig {
  url: string;
  tenant: string;
  /** Undefined: made from the machine id. */
  controllerId: string | undefined;
  targetTokenFile: string | undefined;
  gatewayTokenFile: string | undefined;
  /** For actions that the server only attempts or wants confirmed: done at once, or after an operator's yes on this device. */
  consent: 'automatic' | 'ask';
}

export function fleetConfigOf(keys: v.InferOutput<typeof fleetSchema>): FleetConfig | undefined {
  if (keys.fleet_url === undefined) return undefined;
  return {
    url: keys.fleet_url.replace(/\/+$/, ''),
    tenant: keys.fleet_tenant ?? 'DEFAULT',
    controllerId: keys.fleet_controller_id,
    targetTokenFile: keys.fleet_target_token_file,
    gatewayTokenFile: keys.fleet_gateway_token_file,
    consent: keys.fleet_consent ?? 'automatic',
  };
}
