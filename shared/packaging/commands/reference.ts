import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Outcome } from '../../system/exit-code.ts';
import { writeDurably } from '../../system/files/durable-file.ts';
import { print } from '../../system/terminal/print.ts';
import { project } from '../project.ts';
import { withReference } from '../reference/config-reference.ts';

const configDocument = 'docs/configuration.md';

export async function writeReference(): Promise<Outcome> {
  const path = join(project.root, configDocument);
  writeDurably(path, withReference(readFileSync(path, 'utf8')));
  print(1, `${path}\n`);
  return 'done';
}
