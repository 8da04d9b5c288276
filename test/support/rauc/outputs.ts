import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';

/**
 * What real RAUCs printed: `test/fixtures/rauc/VERSION/COMMAND.json` holds the ends of one command by name.
 * `test/support/rauc/programs/record.ts` writes the folder of the RAUC that is first on PATH.
 */
export const outputsFolder = join(import.meta.dir, '../../fixtures/rauc');

const outputSchema = v.object({ exitCode: v.number(), stdout: v.string(), stderr: v.string() });
const fileSchema = v.record(v.string(), outputSchema);

export type RaucOutput = v.InferOutput<typeof outputSchema>;
export type RaucOutputs = v.InferOutput<typeof fileSchema>;

export const raucCommands = ['version', 'info', 'status', 'mark', 'install', 'last-error', 'bundle'] as const;
export type RaucCommand = (typeof raucCommands)[number];

export function recordedVersions(): string[] {
  return readdirSync(outputsFolder).sort();
}

/** Undefined where that version printed nothing for this command. */
export function recordedOutputs(version: string, command: RaucCommand): RaucOutputs {
  return v.parse(
    fileSchema,
    JSON.parse(readFileSync(join(outputsFolder, version, `${command}.json`), 'utf8')),
  );
}

/** One row for each output of each version, for a test's table. */
export function allOutputs(command: RaucCommand): { version: string; name: string; output: RaucOutput }[] {
  return recordedVersions().flatMap((version) =>
    Object.entries(recordedOutputs(version, command)).map(([name, output]) => ({ version, name, output })),
  );
}
