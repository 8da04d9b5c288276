import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { Failure, isMissing, reasonOf } from '../../system/failure.ts';
import { appendLine, makeFolder, writeDurably } from '../../system/files/durable-file.ts';
import { type Places, updateFolderOf } from '../../system/places.ts';
import { redact } from '../../system/redact.ts';
import type { Log } from '../../system/terminal/log.ts';

/** The list of bundles refused before a transaction began, which the history does not contain. One JSON object a line. */

const refusalSchema = v.looseObject({
  format: v.number(),
  /** ISO 8601. */
  at: v.string(),
  bootId: v.string(),
  /** A name from the exit code table, such as `signature`. */
  outcome: v.string(),
  /** A path or a URL, without anything secret. */
  source: v.string(),
  version: v.nullable(v.string()),
  reason: v.string(),
});

export type LoggedRefusal = v.InferOutput<typeof refusalSchema>;

export interface Refused {
  at: string;
  bootId: string;
  outcome: string;
  source: string;
  version: string | null;
  reason: string;
}

const mostKept = 100;
/** The file is shortened only above this number: a rewrite wears the card more than an appended line. */
const mostLines = 200;

/** Only warns when the refusal cannot be written, so that the caller still reports the refusal itself. */
export function logRefusal(places: Places, refusal: Refused, log: Log): void {
  const path = refusalsFile(places);
  const { source, reason } = refusal;
  const line = { ...refusal, format: 1, source: redact(source), reason: redact(reason) };
  try {
    makeFolder(updateFolderOf(places));
    appendLine(path, JSON.stringify(line));
    const kept = readRefusals(places);
    if (kept.length <= mostLines) return;
    writeDurably(
      path,
      kept
        .slice(-mostKept)
        .map((one) => `${JSON.stringify(one)}\n`)
        .join(''),
    );
  } catch (error) {
    log.warn(`Cannot note the refusal in "${path}": ${reasonOf(error)}`);
  }
}

/** Oldest first; skips lines that cannot be parsed, such as one that a power cut left incomplete. */
export function readRefusals(places: Places): LoggedRefusal[] {
  let text: string;
  try {
    text = readFileSync(refusalsFile(places), 'utf8');
  } catch (error) {
    if (isMissing(error)) return [];
    throw new Failure(`Cannot read the refusals "${refusalsFile(places)}": ${reasonOf(error)}`, {
      cause: error,
    });
  }
  return text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [v.parse(refusalSchema, JSON.parse(line))];
    } catch {
      return [];
    }
  });
}

function refusalsFile(places: Places): string {
  return join(updateFolderOf(places), 'refusals.jsonl');
}
