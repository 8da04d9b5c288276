import { readFileSync } from 'node:fs';
import { type KeyFile, listOf, parseKeyFile, valueIn } from '../../rauc/key-file.ts';
import { type ConfiguredSlot, readSystemConf } from '../../rauc/system-conf.ts';
import { deviceBytes } from '../../system/files/disk.ts';
import { bad, type Check, type Judgement, ok, warn, worst } from './check-result.ts';

/** Checks RAUC's own configuration, also for settings that RAUC accepts although they do harm. */

export interface SystemConfFacts {
  path: string;
  file: KeyFile;
  slots: readonly ConfiguredSlot[];
  /** Devices of slots that do not exist. */
  missing: readonly string[];
}

const advice = 'Compare it with docs/configuration.md and the partitions of this board';

export const systemConf: Check = {
  name: 'system.conf',
  async run({ places }) {
    const conf = readSystemConf(places.root);
    if (conf === undefined) return judgeSystemConf(undefined);
    const missing = conf.slots
      .map(({ device }) => device)
      .filter((device) => deviceBytes(device) === undefined);
    const file = parseKeyFile(readFileSync(conf.path, 'utf8'));
    return judgeSystemConf({ path: conf.path, file, slots: conf.slots, missing });
  },
};

export function judgeSystemConf(facts: SystemConfFacts | undefined): Judgement {
  if (facts === undefined)
    return bad('there is no /etc/rauc/system.conf', 'Write it; without it RAUC does nothing');
  const { path, file, slots, missing } = facts;
  const unreadable = file.unreadable[0];
  const roots = slots.filter((slot) => slot.class === 'rootfs');
  const data = slots.find((slot) => slot.class === 'data');
  const plain = roots.find(({ device }) => !device.startsWith('/dev/disk/by-partlabel/'));
  const unnamed = roots.find(({ name }) => valueIn(file, `slot.${name}`, 'bootname') === undefined);
  const skipping = roots.flatMap(({ name }) => skippingLineOf(file, name))[0];
  const formats = listOf((valueIn(file, 'system', 'bundle-formats') ?? '').replaceAll(' ', ';'));
  return worst(
    [
      unreadable === undefined
        ? undefined
        : bad(`line ${unreadable.line} of "${path}" cannot be read: RAUC does not start`, advice),
      valueIn(file, 'system', 'compatible') === undefined
        ? bad(`"${path}" has no compatible: RAUC does not start`, advice)
        : undefined,
      valueIn(file, 'system', 'bootloader') === 'uboot'
        ? undefined
        : bad(`"${path}" does not say bootloader=uboot: no slot is ever switched`, advice),
      roots.length === 2
        ? undefined
        : bad(`"${path}" has ${roots.length} slots of the class rootfs, two are needed`, advice),
      missing.length === 0
        ? undefined
        : bad(
            `a slot has no device: "${missing.join('", "')}" ${missing.length === 1 ? 'is' : 'are'} not there`,
            advice,
          ),
      unnamed === undefined ? undefined : bad(`slot "${unnamed.name}" has no bootname`, advice),
      skipping === undefined
        ? undefined
        : bad(
            `slot "${skipping.slot}" has ${skipping.line}: RAUC skips the hooks for an image that the slot holds already, and the next boot starts it without transaction, backup or migration`,
            'Remove that line; by default RAUC writes every image',
          ),
      data === undefined
        ? undefined
        : bad(
            `"${data.name}" is a slot: a bundle may overwrite the data`,
            'Remove it; /data belongs in /etc/fstab',
          ),
      plain === undefined
        ? undefined
        : warn(
            `slot "${plain.name}" is "${plain.device}", which may be another partition after a reboot`,
            'Name it by its label, /dev/disk/by-partlabel/…',
          ),
      valueIn(file, 'system', 'data-directory') === undefined &&
      valueIn(file, 'system', 'statusfile') === undefined
        ? warn(
            'it has no data-directory: RAUC writes its status into the slots',
            'Set data-directory=/data/rauc',
          )
        : undefined,
      formats.includes('-plain') || formats.length > 0
        ? undefined
        : warn(
            'bundle-formats is not set: every format is accepted',
            'Set bundle-formats to the formats that you sign',
          ),
    ],
    ok(`${roots.map(({ name }) => `"${name}"`).join(' and ')} are there, by their partition labels`),
  );
}

/** RAUC manual, "System Configuration File", install-same, with its older names. */
const sameKeys = ['install-same', 'force-install-same', 'ignore-checksum'];

function skippingLineOf(file: KeyFile, slot: string): { slot: string; line: string }[] {
  return sameKeys.flatMap((key) => {
    const value = valueIn(file, `slot.${slot}`, key);
    return value === 'false' || value === '0' ? [{ slot, line: `${key}=${value}` }] : [];
  });
}
