import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { formatBytes } from '../../system/files/disk.ts';
import { command } from '../../system/process/command.ts';
import type { Running } from '../../system/process/program.ts';
import { columns } from '../../system/terminal/columns.ts';
import { executableName, programNames } from '../../update/slot/program-names.ts';
import { type BundleOptions, mksquashfsArguments } from './bundle.ts';

const packDeadlineMs = 3 * 60 * 60_000;

/** Describes a finished bundle for the user: each part, its size, and its size in the bundle. */
export async function describeBundle(
  options: BundleOptions,
  { signal }: Pick<Running, 'signal'>,
): Promise<string> {
  const total = statSync(options.output).size;
  const programs = join(options.programs, executableName);
  const parts = [
    { name: 'rootfs.ext4', file: options.rootfs, what: 'root file system' },
    {
      name: options.isFlat ? 'programs' : 'update-hooks/',
      file: programs,
      what: `one program as ${programNames.join(', ')}`,
    },
  ].toSorted((one, other) => statSync(one.file).size - statSync(other.file).size);
  const [small, large] = parts;
  if (small === undefined || large === undefined) throw new Error('a bundle of less than two parts');
  const smallCost = await packedBytes(small.file, options, signal);
  const rows = [
    [small.name, formatBytes(statSync(small.file).size), '→', formatBytes(smallCost), small.what],
    [large.name, formatBytes(statSync(large.file).size), '→', formatBytes(total - smallCost), large.what],
  ];
  const head = `${options.output}\n${basename(options.output)}: version ${options.version}, ${options.format}, ${options.compression}, ${formatBytes(total)}`;
  return `${head}\n${columns(rows)}\n`;
}

/** The packed size of one file alone. Only the smaller part is measured; the rest of the bundle counts as the larger part. */
async function packedBytes(file: string, options: BundleOptions, signal: AbortSignal): Promise<number> {
  const folder = mkdtempSync(join(options.cache, 'cost-'));
  try {
    const image = join(folder, 'part.squashfs');
    const args = mksquashfsArguments(options).split(' ');
    const run = command({ deadlineMs: packDeadlineMs, signal, env: { SOURCE_DATE_EPOCH: undefined } });
    await run`mksquashfs ${file} ${image} -noappend -no-progress -no-xattrs -all-root ${args}`;
    return statSync(image).size;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
