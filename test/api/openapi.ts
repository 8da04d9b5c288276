import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv2020 from 'ajv/dist/2020';
import { parse } from 'yaml';
import { project } from '../../shared/packaging/project.ts';

/** docs/openapi.yaml, as a test reads it. */

interface Schema {
  [key: string]: unknown;
}

interface ResponseSpec {
  headers?: Record<string, { required?: boolean; schema: Schema }>;
  content?: Record<string, { schema: Schema }>;
}

export interface Operation {
  method: string;
  path: string;
  needsToken: boolean;
  responses: Map<number, ResponseSpec>;
  body: Schema | undefined;
}

// What the parser has read; the ajv run over it and the tests find what is not so.
type Document = {
  paths: Record<
    string,
    Record<string, { security?: unknown[]; responses: Record<string, Schema>; requestBody?: ResponseSpec }>
  >;
};

const document: Document = parse(readFileSync(join(project.root, 'docs/openapi.yaml'), 'utf8'));
const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
ajv.addSchema({ $id: 'openapi', ...document });

export const operations: Operation[] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { security = [], responses, requestBody }]) => ({
    method: method.toUpperCase(),
    path,
    needsToken: security.length > 0,
    responses: new Map(
      Object.entries(responses).map(([status, response]) => [Number(status), resolved(response)]),
    ),
    body: requestBody?.content?.['application/json']?.schema,
  })),
);

/** What the document says of such a value, one line for each thing that is not so. */
export function faultsOf(value: unknown, schema: Schema): string[] {
  const validate = ajv.compile(absolute(schema));
  validate(value);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

/** All that the document says of the answer and that is not so. Reads its body, unless it is a stream. */
export async function faultsOfAnswer(answer: Response, spec: ResponseSpec): Promise<string[]> {
  const faults: string[] = [];
  for (const [name, { required, schema }] of Object.entries(spec.headers ?? {})) {
    const value = answer.headers.get(name);
    if (value !== null) faults.push(...faultsOf(value, schema).map((fault) => `${name}: ${fault}`));
    else if (required) faults.push(`no header ${name}`);
  }
  const type = (answer.headers.get('content-type') ?? '').split(';')[0] ?? '';
  const content = spec.content?.[type];
  if (content === undefined) return [...faults, `the content type is ${type}`];
  if (type === 'text/event-stream') {
    await answer.body?.cancel();
    return faults;
  }
  const text = await answer.text();
  const value: unknown = type.endsWith('json') ? JSON.parse(text) : text;
  return [...faults, ...faultsOf(value, content.schema)];
}

function resolved(response: Schema): ResponseSpec {
  const reference = response['$ref'];
  if (typeof reference !== 'string') return response;
  const found = reference
    .replace(/^#\//, '')
    .split('/')
    // Each step of a reference is a key of the object before it; a wrong one fails the test that asks for it.
    .reduce((at: Schema, key) => (at[key] ?? {}) as Schema, document as unknown as Schema);
  return found;
}

/** References within the document, from outside of it. */
function absolute(schema: Schema): Schema {
  const text = JSON.stringify(schema).replaceAll('"#/', '"openapi#/');
  return JSON.parse(text);
}
