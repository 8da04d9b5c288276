import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readBoard } from '../../../shared/packaging/board.ts';
import { makeBootScript } from '../../../shared/packaging/boot-script-file.ts';
import { makeDiskImage } from '../../../shared/packaging/disk-image/disk-image.ts';
import { sizedPartitions } from '../../../shared/packaging/disk-image/genimage.ts';
import { readRootfs } from '../../../shared/packaging/disk-image/rootfs-facts.ts';
import { project } from '../../../shared/packaging/project.ts';
import { makeRoot } from '../../../shared/packaging/root/root.ts';
import { suiteNamed } from '../../../shared/packaging/root/suite.ts';
import { createLog } from '../../../shared/system/log.ts';
import { buildTime, factoryVersion } from '../images/factory.ts';
import { composeFileOf, composePath } from './compose.ts';

/** The root file system and the card of a board with Docker and the whole stack: what it has, a device has. */

/** Drivers of hardware that no emulated board has are most of the modules. Those of Docker are in `net` and `fs`. */
const filters = [
  ...['drivers', 'sound'].map((folder) => `path-exclude=/lib/modules/*/kernel/${folder}/*`),
  ...['virtio', 'block', 'md', 'dax', 'watchdog', 'char'].map(
    (folder) => `path-include=/lib/modules/*/kernel/drivers/${folder}/*`,
  ),
  ...['virtio_net', 'net_failover', 'veth'].map(
    (name) => `path-include=/lib/modules/*/kernel/drivers/net/${name}.ko`,
  ),
];

/** Of the small board's own files, those by which the lab reaches a board. */
const ofTheLab = [
  'usr/lib/modules-load.d/homie-lab.conf',
  'usr/lib/homie-lab/shell',
  'usr/lib/homie-lab/set-clock',
  'usr/lib/systemd/system/homie-lab-shell.service',
  'usr/lib/systemd/system/homie-lab-clock.service',
];

/** An emulated board on a busy machine may take its time. */
const patience = `update:
  health_deadline_seconds: 1800
  settle_seconds: 5
`;

export async function makeStackFactory(parts: {
  folder: string;
  rootfs: string;
  programs: string;
  keyring: string;
  card: string;
}): Promise<void> {
  const { folder, rootfs, programs, keyring, card } = parts;
  const board = readBoard('qemu-arm64');
  const log = createLog('lab');
  await makeRoot({
    board,
    suite: { ...suiteNamed('bookworm'), filters },
    architecture: 'arm64',
    mirror: undefined,
    debs: undefined,
    packages: [],
    hasStack: true,
    kernel: undefined,
    orchestrator: undefined,
    overlay: overlayIn(folder),
    keyring,
    programs,
    version: factoryVersion,
    sizeMiB: undefined,
    time: buildTime,
    isFresh: false,
    output: rootfs,
    cache: project.cache,
    log,
  });
  await makeDiskImage({
    board,
    partitions: sizedPartitions(board, { slotMiB: 1536, dataMiB: 3072 }),
    rootfs,
    facts: await readRootfs(rootfs, board),
    makeBootScript: (path) => makeBootScript(board, buildTime, path),
    time: buildTime,
    output: card,
    log,
  });
}

/** With the units enabled, and the terminal that systemd would start on the shell's line left out. */
function overlayIn(folder: string): string {
  const overlay = join(folder, 'overlay');
  const at = (path: string): string => {
    const place = join(overlay, path);
    mkdirSync(dirname(place), { recursive: true });
    return place;
  };
  for (const path of ofTheLab) cpSync(join(project.root, 'test/lab/overlay', path), at(path));
  cpSync(join(project.root, 'test/lab/stack/overlay'), overlay, { recursive: true });
  writeFileSync(at(composePath), composeFileOf(factoryVersion));
  const config = 'usr/share/homie/orchestrator.yaml';
  const ours = readFileSync(join(project.skeleton, 'device', config), 'utf8');
  writeFileSync(at(config), `${ours}\n${patience}`);
  const link = (target: string, path: string): void =>
    symlinkSync(target, at(join('etc/systemd/system', path)));
  link('/dev/null', 'serial-getty@hvc0.service');
  link('/usr/lib/systemd/system/homie-lab-shell.service', 'multi-user.target.wants/homie-lab-shell.service');
  link('/usr/lib/systemd/system/homie-lab-clock.service', 'sysinit.target.wants/homie-lab-clock.service');
  return overlay;
}
