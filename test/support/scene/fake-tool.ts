import type { TempFolder } from '../temp-folder.ts';

/** Puts a POSIX shell script under the tool's name into the folder's `bin`; answers with a PATH where it is first. */
export function fakeTool(folder: TempFolder, name: string, script: string): string {
  folder.write(`bin/${name}`, `#!/bin/sh\n${script}\n`, 0o755);
  return `${folder.at('bin')}:/usr/sbin:/usr/bin:/sbin:/bin`;
}
