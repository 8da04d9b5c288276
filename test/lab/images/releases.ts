import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readBoard } from '../../../shared/packaging/board/board.ts';
import { command } from '../../../shared/system/process/command.ts';
import { packBundle } from '../../support/build/pack-bundle.ts';

/** Every bundle that a story installs: the factory's root file system, but for a few files. */
export const releases: readonly Release[] = [
  { version: '1.1.0', files: { 'usr/lib/homie-lab/schema': '2\n' }, without: [] },
  { version: '1.1.1', files: { 'usr/lib/homie-lab/schema': '2\n' }, without: [], format: 'verity' },
  // Unwell, and its migration has made the data one that no version before it can read.
  {
    version: '1.2.0',
    files: { 'usr/lib/homie-lab/mood': 'unwell\n', 'usr/lib/homie-lab/schema': '3\n' },
    without: [],
  },
  // Without any, Debian's initrd starts a shell in its place.
  { version: '1.3.0', files: { 'usr/lib/systemd/systemd': 'no program\n' }, without: [] },
  { version: '1.3.1', files: { 'usr/lib/systemd/systemd': '#!/bin/sh\nexit 1\n' }, without: [] },
  // systemd stops when it crashes: the system hangs, and the watchdog resets it. By then the data is migrated.
  {
    version: '1.3.2',
    files: {
      'usr/lib/homie-lab/application': '#!/bin/sh\nkill -SEGV 1\nexec sleep infinity\n',
      'usr/lib/homie-lab/schema': '2\n',
    },
    without: [],
  },
  {
    version: '1.3.3',
    files: { 'etc/fstab': 'PARTLABEL=nowhere /data ext4 nofail,x-systemd.device-timeout=5s 0 2\n' },
    without: [],
  },
  { version: '1.4.0', files: {}, without: ['/boot/vmlinuz'] },
  { version: '1.5.0', files: { 'usr/lib/homie-lab/schema': '2\n' }, without: [] },
  // Which images it needs cannot be read.
  {
    version: '1.6.0',
    files: { 'opt/homie_orchestrator/docker-compose.yml': 'services: [\n' },
    without: [],
  },
  { version: '0.9.0', files: {}, without: [] },
];
const editMs = 60_000;

export interface Release {
  version: string;
  files: Readonly<Record<string, string>>;
  without: readonly string[];
  format?: 'plain' | 'verity';
}

export async function makeRelease(
  { version, files, without, format = 'plain' }: Release,
  parts: {
    folder: string;
    rootfs: string;
    programs: string;
    keys: { certificatePath: string; keyPath: string; keyringPath: string };
    shelf: string;
  },
): Promise<void> {
  const { folder, rootfs, programs, keys, shelf } = parts;
  const image = join(folder, 'release.ext4');
  copyFileSync(rootfs, image);
  const lines = without.map((path) => `rm ${path}`);
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, path.replaceAll('/', '-'));
    writeFileSync(file, text, { mode: 0o755 });
    lines.push(`rm /${path}`, `write ${file} /${path}`);
  }
  const script = join(folder, 'release.debugfs');
  writeFileSync(script, `${lines.join('\n')}\n`);
  await command({ deadlineMs: editMs })`debugfs -w -f ${script} ${image}`;
  await packBundle({
    rootfs: image,
    programs,
    architecture: 'arm64',
    compatible: readBoard('qemu-arm64').compatible,
    version,
    format,
    keys,
    output: join(shelf, `${version}.raucb`),
  });
  rmSync(image);
}
