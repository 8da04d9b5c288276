import type { Architecture } from '../../../shared/packaging/project.ts';

/** Of the machine that the tests run on: programs for it need no emulator. */
export const thisArchitecture: Architecture = process.arch === 'arm64' ? 'arm64' : 'x64';
