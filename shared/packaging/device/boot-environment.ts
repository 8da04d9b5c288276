import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onHost, requireTool } from './host.ts';

const copyBytes = 0x4000;

/** U-Boot's environment in a file: two copies, so that a power cut while saving leaves one. The real fw_setenv writes it. */
export interface BootEnvironment {
  read(): Promise<Record<string, string>>;
  write(variables: Readonly<Record<string, string>>): Promise<void>;
}

/** Makes the environment of a healthy board, and `fw_setenv` and `fw_printenv` in `binFolder`, which use that file. */
export async function createBootEnvironment(options: {
  folder: string;
  binFolder: string;
  signal?: AbortSignal | undefined;
}): Promise<BootEnvironment> {
  const { folder, binFolder, signal } = options;
  const file = join(folder, 'uboot.env');
  const config = join(folder, 'fw_env.config');
  writeFileSync(file, Buffer.alloc(2 * copyBytes));
  writeFileSync(
    config,
    [0, copyBytes].map((offset) => `${file} ${hex(offset)} ${hex(copyBytes)}\n`).join(''),
  );
  for (const tool of ['fw_setenv', 'fw_printenv']) {
    const real = requireTool(tool, 'libubootenv-tool');
    writeFileSync(join(binFolder, tool), `#!/bin/sh\nexec ${real} -c ${config} "$@"\n`, { mode: 0o755 });
  }
  const setenv = join(binFolder, 'fw_setenv');
  const printenv = join(binFolder, 'fw_printenv');

  const defaults = join(folder, 'uboot-defaults');
  writeFileSync(defaults, 'BOOT_ORDER=A B\nBOOT_A_LEFT=3\nBOOT_B_LEFT=3\n');
  // Twice, because each run writes one of the two copies.
  for (let copy = 0; copy < 2; copy += 1) await onHost({ signal })`${setenv} -f ${defaults} -s ${defaults}`;

  return {
    async read() {
      const { stdout } = await onHost()`${printenv}`;
      return parseVariables(stdout);
    },
    async write(variables) {
      for (const [name, value] of Object.entries(variables)) await onHost()`${setenv} ${name} ${value}`;
    },
  };
}

function parseVariables(text: string): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const at = line.indexOf('=');
    if (at > 0) variables[line.slice(0, at)] = line.slice(at + 1);
  }
  return variables;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
