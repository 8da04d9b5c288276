import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { project } from '../../../shared/packaging/project.ts';
import { type CardParts, enableUnits, factoryVersion, makeCard } from '../images/card-image.ts';
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

export async function makeStackFactory(parts: CardParts): Promise<void> {
  await makeCard(parts, {
    filters,
    hasStack: true,
    overlay: overlayIn(parts.folder),
    sizeMiB: undefined,
    sizesMiB: { slotMiB: 1536, dataMiB: 3072 },
  });
}

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
  enableUnits(overlay);
  return overlay;
}
