import { join } from 'node:path';
import type { Outcome } from '../../system/exit-code.ts';
import { Failure } from '../../system/failure.ts';
import { formatBytes } from '../../system/files/disk.ts';
import type { Running } from '../../system/process/program.ts';
import type { Values } from '../../system/terminal/arguments.ts';
import { print } from '../../system/terminal/print.ts';
import { programNames } from '../../update/slot/program-names.ts';
import { compilePrograms, compileSeparately } from '../bundle/compile.ts';
import { type Architecture, project } from '../project.ts';

export async function buildHooks(values: Values, { log }: Running): Promise<Outcome> {
  const architecture = architectureIn(values);
  const hasFaultPoints = values.flag('fault-points');
  if (values.flag('separate')) {
    const folder = join(project.dist, 'separate-hooks');
    const sizes = await log.step('Compiling', 'Compiled', `each program by itself for ${architecture}`, () =>
      compileSeparately(folder, { architecture, hasFaultPoints }),
    );
    const lines = [...sizes].map(([name, bytes]) => `${join(folder, name)}  ${formatBytes(bytes)}\n`);
    print(1, lines.join(''));
    return 'done';
  }
  const bytes = await log.step('Compiling', 'Compiled', `the programs for ${architecture}`, () =>
    compilePrograms(project.updateHooks, { architecture, hasFaultPoints }),
  );
  print(1, `${project.updateHooks}: ${programNames.join(', ')}, one executable of ${formatBytes(bytes)}\n`);
  return 'done';
}

export function architectureIn(values: Values): Architecture {
  const target = values.text('target') ?? 'arm64';
  if (target === 'arm64' || target === 'x64') return target;
  throw new Failure(`Cannot build for "${target}": arm64 or x64 was expected`, { outcome: 'usage' });
}
