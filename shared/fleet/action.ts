import * as v from 'valibot';
import { StateFile } from '../system/files/state-file.ts';
import type { Places } from '../system/places.ts';

/**
 * The state of the server's action on this device, on the data partition: after a kill at any line, and after any reboot,
 * the next run of the agent resumes the same action. Programs of the next and of the previous version read it too: fields
 * are only ever added, unknown ones are kept.
 */

const stages = ['fetching', 'fetched', 'installing', 'installed', 'closing', 'closed'] as const;

const actionSchema = v.looseObject({
  format: v.literal(1),
  actionId: v.string(),
  stage: v.picklist(stages),
  /** ISO 8601, by a clock that may be wrong. */
  since: v.string(),
  /** The version in the verified bundle; before the verification, the version that the server names. */
  version: v.string(),
  /** The last transaction before the install: the next one belongs to this action. */
  before: v.nullable(v.string()),
  installTries: v.number(),
  /** Whether the server knows that the bundle is here. */
  isFetchTold: v.boolean(),
  /** Whether the server knows that a reboot will try the version. */
  isInstallTold: v.boolean(),
  /** The boot in which we scheduled the reboot: if a user cancels it, it is not scheduled again in that boot. */
  rebootAskedIn: v.nullable(v.string()),
  /** The answer of a user at the device. */
  consent: v.nullable(v.picklist(['yes', 'no'])),
  /** The reason for waiting that was reported last. */
  waitsFor: v.nullable(v.string()),
  verdict: v.nullable(v.looseObject({ isSuccess: v.boolean(), reason: v.string() })),
});

const actionFile = new StateFile(actionSchema, 'fleet-action.json', { indent: 2 });

export type FleetAction = v.InferOutput<typeof actionSchema>;

export function newAction(actionId: string, version: string, now: Date): FleetAction {
  return {
    format: 1,
    actionId,
    stage: 'fetching',
    since: now.toISOString(),
    version,
    before: null,
    installTries: 0,
    isFetchTold: false,
    isInstallTold: false,
    rebootAskedIn: null,
    consent: null,
    waitsFor: null,
    verdict: null,
  };
}

/** Undefined where there is none or it is unreadable: then the action is begun again when the server names it. */
export function readAction(places: Places): FleetAction | undefined {
  const found = actionFile.find(places);
  if (found.kind !== 'damaged') return found.kind === 'known' ? found.value : undefined;
  if (found.error instanceof SyntaxError || v.isValiError(found.error)) return undefined;
  throw found.error;
}

export function writeAction(places: Places, action: FleetAction): void {
  actionFile.write(places, action);
}
