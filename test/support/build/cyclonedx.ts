import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';

const origin = 'http://cyclonedx.org/schema/';

/** What the schema of CycloneDX 1.6 has to say against a document; it comes with the standard's own library. */
export function sbomFaults(text: string): string[] {
  const names = ['spdx', 'jsf-0.82'];
  // By the names under which the schema asks for them, which the files themselves do not bear.
  const besides = Object.fromEntries(names.map((name) => [`${origin}${fileOf(name)}`, schemaOf(name)]));
  const ajv = new Ajv({ strict: false, allErrors: true, schemas: besides });
  addFormats(ajv);
  // No implementation is at hand of these two, which nothing of ours uses.
  for (const format of ['idn-email', 'iri-reference']) ajv.addFormat(format, true);
  const validate = ajv.compile(schemaOf('bom-1.6'));
  validate(JSON.parse(text));
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

/** Every identifier that SPDX knows, for licences and for exceptions. */
export function spdxIdentifiers(): ReadonlySet<string> {
  const { enum: known } = schemaOf('spdx') as { enum: string[] }; // the shape of that file
  return new Set(known);
}

function schemaOf(name: string): object {
  const library = dirname(fileURLToPath(import.meta.resolve('@cyclonedx/cyclonedx-library/package.json')));
  return JSON.parse(readFileSync(join(library, 'res', 'schema', fileOf(name)), 'utf8'));
}

function fileOf(name: string): string {
  return `${name}.SNAPSHOT.schema.json`;
}
