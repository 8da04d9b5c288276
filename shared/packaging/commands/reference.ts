import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably } from '../../system/durable-file.ts';
import type { Outcome } from '../../system/exit-code.ts';
import { print } from '../../system/print.ts';
import { project } from '../project.ts';
import { withReference } from '../reference/config-reference.ts';

const configDocument = 'docs/configuration.md';

export async function writeReference(): Promise<Outcome> {
  const path = join(project.root, configDocument);
  writeDurably(path, withReference(readFileSync(path, 'utf8')));
  print(1, `${path}\n`);
  return 'done';
}
