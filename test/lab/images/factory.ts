import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { project } from '../../../shared/packaging/project.ts';
import { type CardParts, enableUnits, makeCard, maskGenerators, maskUnits } from './card-image.ts';

/** The root file system and the card that a board leaves the factory with. */

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

/** Of what no story of the small board uses, that which is dear in emulation: each starts a program, or waits for one. */
const ofNoUse = [
  ...['configfs', 'drm', 'efi_pstore', 'fuse'].map((name) => `modprobe@${name}.service`),
  ...['kernel-config', 'kernel-debug', 'kernel-tracing', 'fs-fuse-connections'].map(
    (name) => `sys-${name}.mount`,
  ),
  ...['dev-hugepages.mount', 'dev-mqueue.mount', 'getty@tty1.service'],
  ...[
    'resolved',
    'network-generator',
    'sysusers',
    'user-sessions',
    'update-utmp',
    'update-utmp-runlevel',
  ].map((name) => `systemd-${name}.service`),
  'kmod-static-nodes.service',
];
/**
 * The same of what systemd starts at each boot to be told of more units. It needs those that read the fstab, and that put
 * a terminal on the console: its word is how the lab knows that a system runs.
 */
const generatorsOfNoUse = [
  ...['cryptsetup', 'debug', 'gpt-auto', 'hibernate-resume', 'integritysetup', 'rc-local', 'run'],
  ...['system-update', 'sysv', 'veritysetup'],
].map((name) => `systemd-${name}-generator`);

export async function makeFactory(parts: CardParts): Promise<void> {
  await makeCard(parts, {
    filters: labFilters,
    hasStack: false,
    overlay: overlayIn(parts.folder),
    sizeMiB: 416,
    sizesMiB: { slotMiB: 768, dataMiB: 768 },
  });
}

function overlayIn(folder: string): string {
  const overlay = join(folder, 'overlay');
  cpSync(join(project.root, 'test/lab/overlay'), overlay, { recursive: true });
  maskUnits(overlay, ofNoUse);
  maskGenerators(overlay, generatorsOfNoUse);
  enableUnits(overlay, { 'homie-lab-health.socket': 'sockets.target' });
  return overlay;
}
