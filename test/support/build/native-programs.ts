import { join } from 'node:path';
import { executableName } from '../../../shared/update/slot/program-names.ts';
import { compiledPrograms } from './compiled-programs.ts';
import { thisArchitecture } from './this-architecture.ts';

/**
 * The programs as they are compiled, for this machine: they need no emulator, and start in milliseconds. They have fault
 * points, which do nothing where no variable `HOMIE_FAULT…` or `HOMIE_STEPS` asks for it: in all else they are those
 * that ship, so one executable serves tests with a fault and without.
 */
export const nativePrograms = await compiledPrograms({
  architecture: thisArchitecture,
  hasFaultPoints: true,
});

/** The door, which takes the name of a program or of a hook as its first argument. */
export const nativeHook = join(nativePrograms, executableName);
