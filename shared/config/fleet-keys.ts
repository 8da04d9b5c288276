import * as v from 'valibot';
import { key, type ValuesOf } from './key.ts';
import { absolutePath } from './values.ts';

/** The keys of a fleet's server; without `fleet_url` there is none. */

const plainName = v.pipe(v.string(), v.regex(/^[\w.:-]{1,128}$/, 'a name of letters, digits and .:_-'));

const serverUrl = v.pipe(
  v.string(),
  v.regex(/^https?:\/\/[^\s/@?#]+(?:\/[^\s?#]*)?$/, 'a URL with https:// or http://, and no user in it'),
);

export const fleetKeys = {
  fleet_url: key("the fleet's hawkBit server; see [fleet.md](fleet.md)", serverUrl),
  fleet_tenant: key('the tenant on that server', plainName, 'DEFAULT'),
  fleet_controller_id: key(
    'the name of this device on the server; by default made from the machine id',
    plainName,
  ),
  fleet_target_token_file: key('one line, for this device alone; `chmod 600`', absolutePath),
  fleet_gateway_token_file: key('in place of a target token: one for all devices', absolutePath),
  fleet_consent: key(
    'with `ask` what the server attempts, or wants confirmed, waits for `update.sh consent yes`',
    v.picklist(['automatic', 'ask'], 'automatic or ask'),
    'automatic',
  ),
};

/** The server of the fleet that this device belongs to. */
export interface FleetConfig {
  url: string;
  tenant: string;
  /** Undefined: made from the machine id. */
  controllerId: string | undefined;
  targetTokenFile: string | undefined;
  gatewayTokenFile: string | undefined;
  /** What the server only attempts, or asks to be confirmed: done at once, or when a user at the device accepts. */
  consent: 'automatic' | 'ask';
}

export function fleetConfigOf(values: ValuesOf<typeof fleetKeys>): FleetConfig | undefined {
  if (values.fleetUrl === undefined) return undefined;
  return {
    url: values.fleetUrl.replace(/\/+$/, ''),
    tenant: values.fleetTenant,
    controllerId: values.fleetControllerId,
    targetTokenFile: values.fleetTargetTokenFile,
    gatewayTokenFile: values.fleetGatewayTokenFile,
    consent: values.fleetConsent,
  };
}
