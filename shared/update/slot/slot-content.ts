import { existsSync, linkSync, lstatSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import heldRebootUnit from '../../../bundle-skeleton/rootfs/usr/lib/systemd/system/homie-held-reboot.service' with {
  type: 'text',
};
import noDataRebootUnit from '../../../bundle-skeleton/rootfs/usr/lib/systemd/system/homie-no-data-reboot.service' with {
  type: 'text',
};
import holdConditions from '../../../bundle-skeleton/rootfs/usr/lib/systemd/system/homie-orchestrator.service.d/50-homie-hold.conf' with {
  type: 'text',
};
import postActivateUnit from '../../../bundle-skeleton/rootfs/usr/lib/systemd/system/homie-post-activate.service' with {
  type: 'text',
};
import updateService from '../../../bundle-skeleton/rootfs/usr/lib/systemd/system/homie-update.service' with {
  type: 'text',
};
import updateTimer from '../../../bundle-skeleton/rootfs/usr/lib/systemd/system/homie-update.timer' with {
  type: 'text',
};
import agentUnit from '../../../bundle-skeleton/rootfs/usr/lib/systemd/system/homie-update-agent.service' with {
  type: 'text',
};
import apiUnit from '../../../bundle-skeleton/rootfs/usr/lib/systemd/system/homie-update-api.service' with {
  type: 'text',
};
import { errorCodeOf, Failure, reasonOf } from '../../system/failure.ts';
import { formatBytes, freeBytesOn } from '../../system/files/disk.ts';
import {
  copyDurably,
  isSameFile,
  makeFolder,
  removeDurably,
  renameDurably,
  syncFolder,
  writeDurably,
} from '../../system/files/durable-file.ts';
import { pathInRoot } from '../../system/files/rooted-path.ts';
import { executableName, programNames } from './program-names.ts';
import { releasePath, releaseText } from './release.ts';

/**
 * Writes into a new slot, with any root file system: our programs, the units that run them, and the name of the release,
 * all from the bundle. A second run has the same result.
 */

const programMode = 0o755;
const programFolder = 'usr/lib/homie/update-hooks';
const unitFolder = 'usr/lib/systemd/system';
/** Each with the folders of links that `systemctl enable` would create for its [Install] section. */
const units = [
  {
    name: 'homie-post-activate.service',
    text: postActivateUnit,
    enabledIn: ['multi-user.target.wants', 'boot-complete.target.requires'],
  },
  { name: 'homie-held-reboot.service', text: heldRebootUnit, enabledIn: [] },
  { name: 'homie-no-data-reboot.service', text: noDataRebootUnit, enabledIn: [] },
  { name: 'homie-update-api.service', text: apiUnit, enabledIn: ['multi-user.target.wants'] },
  { name: 'homie-update.service', text: updateService, enabledIn: [] },
];
const agentName = 'homie-update-agent.service';
const agentLink = `etc/systemd/system/multi-user.target.wants/${agentName}`;
const timerName = 'homie-update.timer';
const timerLink = `etc/systemd/system/timers.target.wants/${timerName}`;
const moreRoom = 'Give the slot resize=true in system.conf, or build a root file system with more room';
/** The path of update.sh in the orchestrator's own documentation. */
export const updateProgram = 'opt/homie_orchestrator/scripts/update.sh';

export interface SlotContent {
  /** The one executable, which is installed under all program names. */
  executable: string;
  version: string;
  /** The name of the orchestrator's unit. The unit is not ours; we add only the conditions that hold it. */
  unit: string;
  /** Whether systemd starts homie-update.timer in the new slot; undefined keeps the setting of the root file system. */
  isTimerEnabled: boolean | undefined;
  /** Whether systemd starts the agent, which a device in a fleet needs. Undefined keeps the setting, as above. */
  isAgentEnabled?: boolean | undefined;
}

/** Throws a Failure; then the slot cannot be booted for a trial, and RAUC leaves it out of BOOT_ORDER. */
export function writeSlotContent(slotMount: string, options: SlotContent): void {
  const { executable, version, unit, isTimerEnabled, isAgentEnabled } = options;
  try {
    writePrograms(slotMount, executable);
    for (const { name, text, enabledIn } of units) {
      writeText(slotMount, `${unitFolder}/${name}`, text);
      for (const folder of enabledIn)
        writeLink(slotMount, `etc/systemd/system/${folder}/${name}`, `/${unitFolder}/${name}`);
    }
    writeText(slotMount, holdPathOf(unit), holdConditions);
    writeText(slotMount, `${unitFolder}/${timerName}`, updateTimer);
    setEnabled(slotMount, timerLink, isTimerEnabled);
    writeText(slotMount, `${unitFolder}/${agentName}`, agentUnit);
    setEnabled(slotMount, agentLink, isAgentEnabled);
    writeLink(slotMount, updateProgram, `/${programFolder}/update.sh`);
    writeText(slotMount, releasePath, releaseText(version));
  } catch (error) {
    if (error instanceof Failure) throw error;
    const isFull = errorCodeOf(error) === 'ENOSPC';
    throw new Failure(`Cannot write into the new slot at "${slotMount}": ${reasonOf(error)}`, {
      cause: error,
      ...(isFull && { outcome: 'noSpace', advice: moreRoom }),
    });
  }
}

function holdPathOf(unit: string): string {
  return `${unitFolder}/${unit.replace(/\.service$/, '')}.service.d/50-homie-hold.conf`;
}

function writePrograms(slotMount: string, executable: string): void {
  const folder = pathInRoot(slotMount, programFolder);
  makeFolder(folder);
  const main = join(folder, executableName);
  if (!isSameFile(executable, main) || (statSync(main).mode & 0o7777) !== programMode) {
    requireSpace(folder, statSync(executable).size);
    copyDurably(executable, main, programMode);
  }
  for (const name of programNames) {
    if (name !== executableName) linkDurably(main, join(folder, name));
  }
}

function requireSpace(folder: string, neededBytes: number): void {
  const free = freeBytesOn(folder);
  if (free >= neededBytes) return;
  const reason = `they take ${formatBytes(neededBytes)}, ${formatBytes(free)} are free in the new slot`;
  throw new Failure(`Cannot put the update programs into the new slot: ${reason}`, {
    outcome: 'noSpace',
    advice: moreRoom,
  });
}

/** The file itself is replaced, not what a link of that name points to: a masked unit links to /dev/null. */
function writeText(slotMount: string, path: string, text: string): void {
  const folder = pathInRoot(slotMount, dirname(path));
  makeFolder(folder);
  writeDurably(join(folder, basename(path)), text);
}

/** The link itself is replaced, not what an older one points to. */
function writeLink(slotMount: string, path: string, target: string): void {
  const folder = pathInRoot(slotMount, dirname(path));
  makeFolder(folder);
  replaceByRename(join(folder, basename(path)), (part) => symlinkSync(target, part));
}

/** As `systemctl enable` and `disable` do; undefined does neither. */
function setEnabled(slotMount: string, link: string, isEnabled: boolean | undefined): void {
  if (isEnabled === true) writeLink(slotMount, link, `/${unitFolder}/${basename(link)}`);
  if (isEnabled === false) removeLink(slotMount, link);
}

/** As `systemctl disable` does. */
function removeLink(slotMount: string, path: string): void {
  const folder = pathInRoot(slotMount, dirname(path));
  if (existsSync(folder)) removeDurably(join(folder, basename(path)));
}

/** Whether systemd starts the timer in the system below the root. */
export function isTimerEnabledIn(root: string): boolean {
  const folder = pathInRoot(root, dirname(timerLink));
  return lstatSync(join(folder, basename(timerLink)), { throwIfNoEntry: false }) !== undefined;
}

function linkDurably(from: string, to: string): void {
  replaceByRename(to, (part) => linkSync(from, part));
}

function replaceByRename(place: string, make: (part: string) => void): void {
  const part = `${place}.part`;
  rmSync(part, { force: true });
  make(part);
  renameDurably(part, place);
  // rename(2) of two names of one file does nothing and leaves both
  rmSync(part, { force: true });
  syncFolder(dirname(place));
}
