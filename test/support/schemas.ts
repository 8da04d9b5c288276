import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { project } from '../../shared/packaging/project.ts';

/** What docs/schema/ promises, taken to the word: a field that a schema does not name is an error here. */

const folder = join(project.root, 'docs/schema');

export function schemaNames(): string[] {
  return readdirSync(folder).map((name) => name.replace(/\.json$/, ''));
}

/** The validator of one schema; its own `errors` say what is wrong. */
export function validatorOf(name: string): ValidateFunction {
  const ajv = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true });
  for (const one of schemaNames()) ajv.addSchema(exact(readSchema(one)));
  const validate = ajv.getSchema(`${name}.json`);
  if (validate === undefined) throw new Error(`no schema "${name}"`);
  return validate;
}

/** For readers a schema lets more fields pass, as they are only ever added; what we print must be in it. */
function exact(schema: unknown): Record<string, unknown> {
  return JSON.parse(JSON.stringify(schema), (_key, value: unknown) =>
    typeof value === 'object' && value !== null && 'properties' in value && 'required' in value
      ? { ...value, additionalProperties: false }
      : value,
  );
}

function readSchema(name: string): unknown {
  return JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
}
