import type { Device } from '../transaction/device.ts';
import { requireAdmitted } from './admission-refusal.ts';
import { decideSpace } from './decide-space.ts';
import { gatherSpaceNeeds } from './space-needs.ts';

/**
 * Throws a Failure unless everything that the update needs fits; `bundleBytes` are the bytes still to download. Returns how
 * large the bundle may be, in bytes, for a download of unknown size.
 */
export function requireSpace(
  what: string,
  bundleBytes: number,
  { places, config }: Device,
): { freeForBundle: number } {
  const needs = gatherSpaceNeeds(bundleBytes, places, config);
  requireAdmitted(`"${what}"`, decideSpace(needs));
  const [bundle, ...others] = needs;
  const beside = others.filter(({ device }) => device === bundle?.device);
  return { freeForBundle: (bundle?.freeBytes ?? 0) - beside.reduce((sum, { bytes }) => sum + bytes, 0) };
}
