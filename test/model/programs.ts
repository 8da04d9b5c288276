import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compilePrograms } from '../../shared/packaging/compile.ts';
import { thisArchitecture } from '../support/this-architecture.ts';

/** What a model's board runs: the programs for this machine, with fault points. */
export async function modelPrograms(): Promise<{ folder: string } & Disposable> {
  const folder = mkdtempSync(join(tmpdir(), 'homie-model-'));
  await compilePrograms(folder, { architecture: thisArchitecture, hasFaultPoints: true });
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}
