import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { isMissing } from '../system/failure.ts';
import { makeFolder, writeDurably } from '../system/files/durable-file.ts';
import { type Places, updateFolderOf } from '../system/places.ts';

/**
 * The server's action as far as it has come here, on the data partition: killed at any line, and after any reboot, the
 * next run of the agent goes on with the same action. Programs of the next and of the previous version read it too:
 * fields are only ever added, unknown ones are kept.
 */

const stages = ['fetching', 'fetched', 'installing', 'installed', 'closing', 'closed'] as const;

const actionSchema = v.looseObject({
  format: v.literal(1),
  actionId: v.string(),
  stage: v.picklist(stages),
  /** ISO 8601, by a clock that may be wrong. */
  since: v.string(),
  /** Of the bundle, once it is verified; before, what the server calls it. */
  version: v.string(),
  /** The last transaction before the install: the next one is ours. */
  before: v.nullable(v.string()),
  installTries: v.number(),
  /** Whether the server knows that the bundle is here. */
  isFetchTold: v.boolean(),
  /** Whether it knows that a reboot will try it. */
  isInstallTold: v.boolean(),
  /** In which boot we asked for the reboot: who puts that off is not asked again. */
  rebootAskedIn: v.nullable(v.string()),
  /** What somebody here has said to it. */
  consent: v.nullable(v.picklist(['yes', 'no'])),
  /** Why it waits, when that was told last. */
  waitsFor: v.nullable(v.string()),
  verdict: v.nullable(v.looseObject({ isSuccess: v.boolean(), reason: v.string() })),
});

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

/** Undefined where there is none, or nobody can read it: then the server's word begins it anew. */
export function readAction(places: Places): FleetAction | undefined {
  try {
    return v.parse(actionSchema, JSON.parse(readFileSync(actionFileOf(places), 'utf8')));
  } catch (error) {
    if (isMissing(error) || error instanceof SyntaxError || v.isValiError(error)) return undefined;
    throw error;
  }
}

export function writeAction(places: Places, action: FleetAction): void {
  makeFolder(updateFolderOf(places));
  writeDurably(actionFileOf(places), `${JSON.stringify(action, undefined, 2)}\n`);
}

function actionFileOf(places: Places): string {
  return join(updateFolderOf(places), 'fleet-action.json');
}
