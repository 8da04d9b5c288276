import { join } from 'node:path';
import type { Outcome } from '../../system/exit-code.ts';
import { writeDurably } from '../../system/files/durable-file.ts';
import { print } from '../../system/terminal/print.ts';
import { compiledPackages } from '../components/npm-packages.ts';
import { runtimeComponents } from '../components/runtime.ts';
import { renderThirdParty, thirdPartyFile } from '../components/third-party.ts';
import { project } from '../project.ts';

export async function writeLicenses(): Promise<Outcome> {
  const packages = await compiledPackages();
  const runtime = runtimeComponents();
  const path = join(project.root, thirdPartyFile);
  writeDurably(path, renderThirdParty(packages, runtime));
  print(1, `${path}: ${packages.length} npm packages, ${runtime.length} parts of the runtime\n`);
  return 'done';
}
