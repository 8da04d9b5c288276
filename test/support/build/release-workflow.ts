import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { parse } from 'yaml';
import { project } from '../../../shared/packaging/project.ts';

const stepSchema = v.strictObject({
  name: v.optional(v.string()),
  if: v.optional(v.string()),
  uses: v.optional(v.string()),
  with: v.optional(v.record(v.string(), v.unknown())),
  env: v.optional(v.record(v.string(), v.string())),
  run: v.optional(v.string()),
});

/** What of GitHub's workflow syntax this project uses; another key is a slip. */
const workflowSchema = v.strictObject({
  name: v.string(),
  on: v.unknown(),
  permissions: v.record(v.string(), v.string()),
  concurrency: v.unknown(),
  jobs: v.record(
    v.string(),
    v.strictObject({
      needs: v.optional(v.string()),
      'runs-on': v.string(),
      'timeout-minutes': v.number(),
      environment: v.optional(v.string()),
      permissions: v.optional(v.record(v.string(), v.string())),
      container: v.optional(v.strictObject({ image: v.string(), options: v.string() })),
      defaults: v.optional(v.unknown()),
      steps: v.array(stepSchema),
    }),
  ),
});

export type Step = v.InferOutput<typeof stepSchema>;

const path = join(project.root, '.github/workflows/release.yml');

export const releaseWorkflowText = readFileSync(path, 'utf8');
export const releaseWorkflow = v.parse(workflowSchema, parse(releaseWorkflowText));

export function allSteps(): Step[] {
  return Object.values(releaseWorkflow.jobs).flatMap(({ steps }) => steps);
}

/** The script of a step, as the runner hands it to bash. */
export function scriptOf(name: string): string {
  const run = allSteps().find((step) => step.name === name)?.run;
  if (run === undefined) throw new Error(`no step "${name}" with a script`);
  return run;
}
