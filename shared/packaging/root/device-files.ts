import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, reasonOf } from '../../system/failure.ts';
import { type Board, boardFolder } from '../board/board.ts';
import { initialEnvironment } from '../board/initial-environment.ts';
import { renderSystemConf } from '../board/system-conf.ts';
import { project } from '../project.ts';
import { layOver, writeInTree } from './overlay.ts';

/** Writes the files of every device: RAUC's configuration and keyring, fw_env.config, fstab, units, the rest of /etc. */

const keyringPath = '/etc/rauc/keyring.pem';
const systemCheck = '/usr/lib/homie/update-hooks/system-check';

export interface DeviceFiles {
  board: Board;
  /** The certificates that the device trusts. */
  keyring: string;
  raucVersion: string;
}

export async function layDeviceFiles(
  tree: string,
  { board, keyring, raucVersion }: DeviceFiles,
): Promise<void> {
  layOver(tree, join(project.skeleton, 'rootfs'));
  layOver(tree, join(project.skeleton, 'device'));
  const environment = readFileSync(join(boardFolder(board.name), 'fw_env.config'), 'utf8');
  await writeInTree(tree, '/etc/fw_env.config', environment);
  // fw_printenv and fw_setenv use this file if no copy is whole. A board that keeps U-Boot's own variables in the same
  // place does not get it: those variables would be lost, and the device would not boot.
  if (board.environment.kind === 'disk')
    await writeInTree(tree, '/etc/u-boot-initial-env', initialEnvironment);
  await writeInTree(tree, keyringPath, readKeyring(keyring));
  const conf = renderSystemConf({
    compatible: board.compatible,
    slots: { A: '/dev/disk/by-partlabel/rootfs-a', B: '/dev/disk/by-partlabel/rootfs-b' },
    dataDirectory: '/data/rauc',
    keyring: keyringPath,
    preInstallHandler: systemCheck,
    raucVersion,
  });
  await writeInTree(tree, '/etc/rauc/system.conf', conf);
}

/** Reads the keyring. Throws a usage Failure if it holds no certificate, or anything else. */
export function readKeyring(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Failure(`Cannot read the keyring "${path}": ${reasonOf(error)}`, {
      outcome: 'usage',
      cause: error,
    });
  }
  const kinds = [...text.matchAll(/^-----BEGIN ([A-Z0-9 ]+)-----\s*$/gm)].map(([, kind = '']) => kind);
  const stranger = kinds.find((kind) => !/^(X509 |TRUSTED )?CERTIFICATE$/.test(kind));
  if (stranger !== undefined || kinds.length === 0) {
    const reason = stranger === undefined ? 'there is no certificate in it' : `there is a ${stranger} in it`;
    throw new Failure(`Cannot use the keyring "${path}": ${reason}`, {
      outcome: 'usage',
      advice: 'Devices get the root certificates alone, like .keys/keyring.pem',
    });
  }
  return text;
}

/** The version of the tree's own rauc, from dpkg's status. Throws a Failure where there is none. */
export function raucVersionIn(tree: string): string {
  const status = readFileSync(join(tree, 'var/lib/dpkg/status'), 'utf8');
  const entry = status.split('\n\n').find((text) => /^Package: rauc$/m.test(text)) ?? '';
  const [, major, minor, patch = '0'] = /^Version: (?:\d+:)?(\d+)\.(\d+)(?:\.(\d+))?/m.exec(entry) ?? [];
  if (major !== undefined && minor !== undefined) return `${major}.${minor}.${patch}`;
  throw new Failure('Cannot configure RAUC: the suite has no package rauc', {
    advice: 'Bring one along with --debs DIR',
  });
}
