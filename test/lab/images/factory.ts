import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
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

/** The root file system and the card that a board leaves the factory with. */

export const factoryVersion = '1.0.0';
/** Every story copies, signs and writes the modules: those that an emulated board can use are a tenth of them. */
const keptModules = [
  ...['arch/*', 'crypto/*', 'lib/*', 'fs/*', 'net/*', 'drivers/virtio/*', 'drivers/md/*', 'drivers/dax/*'],
  ...['drivers/block/loop.ko', 'drivers/block/nbd.ko', 'drivers/block/virtio_blk.ko', 'drivers/watchdog/*'],
  ...['drivers/net/virtio_net.ko', 'drivers/net/net_failover.ko', 'drivers/net/veth.ko'],
  ...['drivers/char/virtio_console.ko', 'drivers/char/hw_random/*', 'drivers/firmware/qemu_fw_cfg.ko'],
];
const leftOutModules = [
  ...[
    'fs/xfs',
    'fs/btrfs',
    'fs/ocfs2',
    'fs/gfs2',
    'fs/ceph',
    'fs/cifs',
    'fs/smb',
    'fs/nfs',
    'fs/nfsd',
    'fs/f2fs',
  ],
  ...[
    'net/wireless',
    'net/mac80211',
    'net/bluetooth',
    'net/sunrpc',
    'net/rxrpc',
    'net/openvswitch',
    'net/sctp',
  ],
];
const labFilters = [
  'path-exclude=/lib/modules/*/kernel/*',
  ...keptModules.map((path) => `path-include=/lib/modules/*/kernel/${path}`),
  ...leftOutModules.map((path) => `path-exclude=/lib/modules/*/kernel/${path}/*`),
];

export const buildTime = new Date('2026-01-01T00:00:00Z');

export async function makeFactory(parts: {
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
    suite: { ...suiteNamed('bookworm'), filters: labFilters },
    architecture: 'arm64',
    mirror: undefined,
    debs: undefined,
    packages: [],
    hasStack: false,
    kernel: undefined,
    orchestrator: undefined,
    overlay: overlayIn(folder),
    keyring,
    programs,
    version: factoryVersion,
    sizeMiB: 416,
    time: buildTime,
    isFresh: false,
    output: rootfs,
    cache: project.cache,
    log,
  });
  await makeDiskImage({
    board,
    partitions: sizedPartitions(board, { slotMiB: 768, dataMiB: 768 }),
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
  cpSync(join(project.root, 'test/lab/overlay'), overlay, { recursive: true });
  const link = (target: string, path: string): void => {
    const place = join(overlay, 'etc/systemd/system', path);
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(target, place);
  };
  const units = '/usr/lib/systemd/system';
  link('/dev/null', 'serial-getty@hvc0.service');
  // Looks for volumes of LVM, for seconds.
  link('/dev/null', 'e2scrub_reap.service');
  link(`${units}/homie-lab-shell.service`, 'multi-user.target.wants/homie-lab-shell.service');
  link(`${units}/homie-lab-clock.service`, 'sysinit.target.wants/homie-lab-clock.service');
  link(`${units}/homie-lab-health.socket`, 'sockets.target.wants/homie-lab-health.socket');
  return overlay;
}
