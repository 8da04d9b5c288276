import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { isMissing } from '../../system/failure.ts';

/** One line of the trace file (HOMIE_TRACE): a program that has ended on the embedded device. */
const traceSchema = v.object({
  program: v.string(),
  exitCode: v.number(),
  ms: v.number(),
  lastLine: v.string(),
});

export type TracedProgram = v.InferOutput<typeof traceSchema>;

export function readTrace(file: string): TracedProgram[] {
  try {
    const lines = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
    return lines.map((line) => v.parse(traceSchema, JSON.parse(line)));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
