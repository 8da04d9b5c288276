import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { readBoard } from '../../shared/packaging/board.ts';
import { makeBootScript } from '../../shared/packaging/boot-script-file.ts';
import { makeBundle } from '../../shared/packaging/bundle.ts';
import { compilePrograms } from '../../shared/packaging/compile.ts';
import { makeDiskImage } from '../../shared/packaging/disk-image/disk-image.ts';
import { sizedPartitions } from '../../shared/packaging/disk-image/genimage.ts';
import { readRootfs } from '../../shared/packaging/disk-image/rootfs-facts.ts';
import { createKeys, findKeys } from '../../shared/packaging/keys.ts';
import { project } from '../../shared/packaging/project.ts';
import { makeRoot } from '../../shared/packaging/root/root.ts';
import { suiteNamed } from '../../shared/packaging/root/suite.ts';
import { command } from '../../shared/system/command.ts';
import { createLog } from '../../shared/system/log.ts';

/** One root file system, one card and all bundles, made once for what they are made of. Needs root. */
export interface LabImages {
  card: string;
  /** A disk with the bundles, by their names. */
  bundles: string;
}

/** Every bundle that a story installs: the factory's root file system, but for a few files. */
const releases: readonly Release[] = [
  { version: '1.1.0', files: { 'usr/lib/homie-lab/schema': '2\n' }, without: [] },
  { version: '1.1.1', files: { 'usr/lib/homie-lab/schema': '2\n' }, without: [], format: 'verity' },
  { version: '1.2.0', files: { 'usr/lib/homie-lab/mood': 'unwell\n' }, without: [] },
  // Without any, Debian's initrd starts a shell in its place.
  { version: '1.3.0', files: { 'usr/lib/systemd/systemd': 'no program\n' }, without: [] },
  { version: '1.4.0', files: {}, without: ['/boot/vmlinuz'] },
  { version: '1.5.0', files: { 'usr/lib/homie-lab/schema': '2\n' }, without: [] },
  { version: '0.9.0', files: {}, without: [] },
];
export const factoryVersion = '1.0.0';

interface Release {
  version: string;
  files: Readonly<Record<string, string>>;
  without: readonly string[];
  format?: 'plain' | 'verity';
}

const time = new Date('2026-01-01T00:00:00Z');
const toolMs = 10 * 60_000;
const sources = [
  'hooks',
  'shared',
  'bundle-skeleton',
  'test/lab/overlay',
  'test/lab/images.ts',
  'package-lock.json',
];

export async function labImages(): Promise<LabImages> {
  const folder = join(project.cache, 'lab', digestOf(sources.map((path) => join(project.root, path))));
  const images = { card: join(folder, 'card.img'), bundles: join(folder, 'bundles.img') };
  if (existsSync(images.bundles)) return images;
  rmSync(join(project.cache, 'lab'), { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const rootfs = join(folder, 'rootfs.ext4');
  const programs = join(folder, 'programs');
  const keys = findKeys(join(folder, 'keys')) ?? (await createKeys(join(folder, 'keys')));
  await compilePrograms(programs, { architecture: 'arm64' });
  await makeFactory({ folder, rootfs, programs, keyring: keys.keyringPath, card: images.card });
  const shelf = join(folder, 'shelf');
  mkdirSync(shelf);
  for (const release of releases) await makeRelease(release, { folder, rootfs, programs, keys, shelf });
  const part = `${images.bundles}.part`;
  const sizeMiB = Math.ceil((folderBytes(shelf) * 1.05) / 2 ** 20) + 64;
  await command({
    deadlineMs: toolMs,
  })`mkfs.ext4 -q -F -m 0 -O ^has_journal -d ${shelf} ${part} ${`${sizeMiB}M`}`;
  rmSync(shelf, { recursive: true });
  renameSync(part, images.bundles);
  return images;
}

async function makeFactory(parts: {
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
    // Its modules are a fifth of the usual one's: every story copies, signs and writes them.
    suite: { ...suiteNamed('bookworm'), kernelPackage: 'linux-image-cloud-arm64' },
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
    time,
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
    makeBootScript: (path) => makeBootScript(board, time, path),
    time,
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
  link(`${units}/homie-lab-shell.service`, 'multi-user.target.wants/homie-lab-shell.service');
  link(`${units}/homie-lab-clock.service`, 'sysinit.target.wants/homie-lab-clock.service');
  link(`${units}/homie-lab-health.socket`, 'sockets.target.wants/homie-lab-health.socket');
  return overlay;
}

async function makeRelease(
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
  await command({ deadlineMs: toolMs })`debugfs -w -f ${script} ${image}`;
  await makeBundle({
    rootfs: image,
    programs,
    architecture: 'arm64',
    compatible: readBoard('qemu-arm64').compatible,
    version,
    time,
    revision: 'lab',
    format,
    compression: 'lz4',
    certificate: keys.certificatePath,
    key: keys.keyPath,
    intermediates: [],
    keyring: keys.keyringPath,
    isFlat: false,
    output: join(shelf, `${version}.raucb`),
    cache: join(folder, 'bundle'),
    log: createLog('lab'),
  });
  rmSync(image);
}

function folderBytes(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

/** Of all files below the paths, with their names. */
function digestOf(paths: readonly string[]): string {
  const hash = createHash('sha256');
  const add = (path: string): void => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory()) for (const name of readdirSync(path).sort()) add(join(path, name));
    else if (stat?.isFile()) hash.update(path).update('\0').update(readFileSync(path));
  };
  for (const path of paths) add(path);
  return hash.digest('hex').slice(0, 16);
}
