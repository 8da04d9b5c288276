import type { Outcome } from '../../system/exit-code.ts';
import type { Running } from '../../system/process/program.ts';
import { Values } from '../../system/terminal/arguments.ts';
import { print } from '../../system/terminal/print.ts';
import { programVersion } from '../../system/version.ts';
import { findKeys } from '../pki/keys.ts';
import { project } from '../project.ts';
import { buildBundle, defaultBundle } from './bundle.ts';
import { buildHooks } from './hooks.ts';
import { changeKeys } from './keys.ts';
import { lint } from './lint.ts';

/** All that a build needs no privilege for: keys if there are none, the programs, a signed and verified bundle, its check. */
export async function buildAll(running: Running): Promise<Outcome> {
  if (findKeys(project.keys) === undefined) await changeKeys(new Values({}), running);
  await buildHooks(new Values({}), running);
  await buildBundle(new Values({ compress: 'lz4' }), running);
  print(1, '\n');
  return await lint(new Values({ path: defaultBundle(programVersion) }));
}
