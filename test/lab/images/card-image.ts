import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readBoard } from '../../../shared/packaging/board/board.ts';
import { makeBootScript } from '../../../shared/packaging/boot-script/boot-script-file.ts';
import { makeDiskImage } from '../../../shared/packaging/disk-image/disk-image.ts';
import { sizedPartitions } from '../../../shared/packaging/disk-image/genimage.ts';
import { readRootfs } from '../../../shared/packaging/disk-image/rootfs-facts.ts';
import { project } from '../../../shared/packaging/project.ts';
import { makeRoot } from '../../../shared/packaging/root/root.ts';
import { suiteNamed } from '../../../shared/packaging/root/suite.ts';
import { createLog } from '../../../shared/system/terminal/log.ts';
import { buildTime } from '../../support/build/pack-bundle.ts';

/** Where each part of a board's images is made, and what they have in common. */
export interface CardParts {
  folder: string;
  rootfs: string;
  programs: string;
  keyring: string;
  card: string;
}

/** What one emulated board has otherwise than another. */
export interface CardWish {
  /** Of dpkg, for the kernel's modules. */
  filters: readonly string[];
  hasStack: boolean;
  overlay: string;
  /** Of the root file system; fitted where none is given. */
  sizeMiB: number | undefined;
  sizesMiB: { slotMiB: number; dataMiB: number };
}

export const factoryVersion = '1.0.0';

/** The root file system of the factory, and a card with it in both slots. Needs root. */
export async function makeCard(
  { rootfs, programs, keyring, card }: CardParts,
  { filters, hasStack, overlay, sizeMiB, sizesMiB }: CardWish,
): Promise<void> {
  const board = readBoard('qemu-arm64');
  const log = createLog('lab');
  await makeRoot({
    board,
    suite: { ...suiteNamed('bookworm'), filters },
    architecture: 'arm64',
    mirror: undefined,
    debs: undefined,
    packages: [],
    hasStack,
    kernel: undefined,
    orchestrator: undefined,
    overlay,
    keyring,
    programs,
    version: factoryVersion,
    sizeMiB,
    time: buildTime,
    isFresh: false,
    output: rootfs,
    cache: project.cache,
    log,
  });
  await makeDiskImage({
    board,
    partitions: sizedPartitions(board, sizesMiB),
    rootfs,
    facts: await readRootfs(rootfs, board),
    makeBootScript: (path) => makeBootScript(board, buildTime, path),
    time: buildTime,
    output: card,
    log,
  });
}

/**
 * Enables what the lab reaches a board by, and more units of systemd's folder by the target that wants them. The terminal
 * that systemd would start on the shell's line is left out.
 */
export function enableUnits(overlay: string, wanted: Readonly<Record<string, string>> = {}): void {
  // The second one looks for volumes of LVM, for seconds.
  maskUnits(overlay, ['serial-getty@hvc0.service', 'e2scrub_reap.service']);
  const units = {
    'homie-lab-shell.service': 'multi-user.target',
    'homie-lab-clock.service': 'sysinit.target',
    ...wanted,
  };
  for (const [unit, target] of Object.entries(units))
    link(`/usr/lib/systemd/system/${unit}`, join(overlay, unitFolder, `${target}.wants/${unit}`));
}

/** Leaves them out of every boot. */
export function maskUnits(overlay: string, units: readonly string[]): void {
  for (const unit of units) link('/dev/null', join(overlay, unitFolder, unit));
}

export function maskGenerators(overlay: string, generators: readonly string[]): void {
  for (const generator of generators)
    link('/dev/null', join(overlay, 'etc/systemd/system-generators', generator));
}

const unitFolder = 'etc/systemd/system';

function link(target: string, place: string): void {
  mkdirSync(dirname(place), { recursive: true });
  symlinkSync(target, place);
}
