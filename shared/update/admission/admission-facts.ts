import { machine } from 'node:os';
import { backupBytesAtMost } from '../../data/backups/backup.ts';
import type { BundleFacts } from '../../rauc/bundle-facts.ts';
import { readSystemConf, type SystemConf } from '../../rauc/system-conf.ts';
import { deviceBytes, freeBytesOn, treeBytes } from '../../system/files/disk.ts';
import { bootId, lockFileOf, type Places } from '../../system/places.ts';
import { lockHolder } from '../../system/process/lock.ts';
import { readRelease } from '../slot/release.ts';
import type { Device } from '../transaction/device.ts';
import { isOnTrial } from '../transaction/on-trial.ts';
import { needsRestore } from '../transaction/transaction.ts';
import {
  committedVersion,
  knownTransaction,
  readHistory,
  readTransaction,
} from '../transaction/transaction-store.ts';
import type { AdmissionFacts, StandingFacts } from './decide-admission.ts';
import type { FitFacts } from './decide-compatibility.ts';
import { readInhibit, reasonOfInhibit } from './inhibit.ts';

/** Gathers the facts for decideAdmission; reads only. `systemCompatible` comes from RAUC when RAUC is the caller. */
export function gatherAdmissionFacts(
  bundle: BundleFacts,
  systemCompatible: string | undefined,
  device: Device,
): AdmissionFacts {
  const { places, config } = device;
  const conf = readSystemConf(places.root);
  const fit = gatherFitFacts(bundle, systemCompatible, device);
  return {
    ...fit,
    architecture: architectureOf(machine()),
    holder: lockHolder(lockFileOf(places)),
    ...gatherStandingFacts(places),
    slots: rootSlots(conf),
    backup: {
      path: config.backupPath,
      neededBytes: backupBytesAtMost(treeBytes(config.configPath), config.update.reserveMiB),
      freeBytes: freeBytesOn(config.backupPath),
    },
  };
}

/** Gathers the facts that do not depend on the bundle, for decideStanding, before a bundle is downloaded. */
export function gatherStandingFacts(places: Places): StandingFacts {
  const runningVersion = readRelease(places.root);
  const current = readTransaction(places);
  const transaction = knownTransaction(current);
  return {
    inhibit: reasonOfInhibit(readInhibit(places, new Date())),
    isOnTrial: isOnTrial(transaction, { bootId: bootId(), runningVersion }),
    needsRestore:
      current.kind === 'damaged'
        ? current.owes
        : transaction?.isClosed === false && needsRestore(transaction),
  };
}

/** Gathers the facts for decideFit; reads only. */
export function gatherFitFacts(
  bundle: BundleFacts,
  systemCompatible: string | undefined,
  { places, config }: Device,
): FitFacts {
  return {
    bundle,
    systemCompatible: systemCompatible ?? readSystemConf(places.root)?.compatible,
    runningVersion: readRelease(places.root),
    committedVersion: committedVersion(readHistory(places)),
    versionFloor: config.update.versionFloor,
    mayDowngrade: config.update.allowDowngrade,
  };
}

/** Converts a machine name of uname(2) to Bun's name of the architecture. */
function architectureOf(machineName: string): string {
  if (machineName === 'aarch64') return 'arm64';
  return machineName === 'x86_64' ? 'x64' : machineName;
}

/** Returns both root slots: A and B have the same size, and RAUC does not tell install-check which one is the target. */
function rootSlots(conf: SystemConf | undefined): AdmissionFacts['slots'] {
  const slots = conf?.slots.filter((slot) => slot.class === 'rootfs') ?? [];
  return slots.map(({ name, device }) => ({
    name,
    device,
    bytes: deviceBytes(device),
  }));
}
