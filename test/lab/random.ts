import { command } from '../../shared/system/command.ts';

/** Of the commit, so that each commit is cut elsewhere and can be cut there again; or of HOMIE_LAB_SEED. */
export async function seedOfThisRun(): Promise<number> {
  const given = process.env['HOMIE_LAB_SEED'];
  if (given !== undefined) return Number.parseInt(given, 16);
  const { stdout } = await command({ deadlineMs: 10_000 })`git rev-parse HEAD`;
  return Number.parseInt(stdout.slice(0, 8), 16);
}
