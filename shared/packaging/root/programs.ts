import { join } from 'node:path';
import { Failure } from '../../system/failure.ts';
import { executableName } from '../../update/slot/program-names.ts';
import { readElf } from '../format/elf.ts';
import type { Architecture } from '../project.ts';

/** Throws a usage Failure where the compiled programs are not there, or are for another architecture. */
export function requireProgramsFor(folder: string, architecture: Architecture): void {
  const built = architectureOf(join(folder, executableName));
  if (built === architecture) return;
  const reason =
    built === undefined ? 'our programs are not compiled' : `our programs are compiled for ${built}`;
  throw new Failure(`Cannot make a root file system for ${architecture}: ${reason}`, {
    outcome: 'usage',
    advice: 'Use "bun build.ts hooks" first',
  });
}

function architectureOf(path: string): string | undefined {
  try {
    return readElf(path)?.architecture;
  } catch {
    return undefined;
  }
}
