import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createDevice, type DeviceOptions } from '../../../shared/packaging/device/device.ts';
import type { EmbeddedDevice } from '../../../shared/packaging/device/running-device.ts';
import { command } from '../../../shared/system/process/command.ts';
import { placeOfProgram } from '../../support/build/layout.ts';

/** Small enough to be made in under a second. */
const smallSizesMiB = { boot: 2, slot: 24, data: 32 };

export interface Parts extends Disposable {
  folder: string;
  keyring: string;
  bundle: string;
  rootfsImage: string;
}

/** A throw-away key, a small root file system, and a bundle signed with the one that carries the other. */
export async function makeParts(): Promise<Parts> {
  const folder = mkdtempSync(join(tmpdir(), 'device-parts-'));
  const key = join(folder, 'key.pem');
  const keyring = join(folder, 'certificate.pem');
  const run = command({ deadlineMs: 60_000 });
  await run`openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=throw-away -addext keyUsage=digitalSignature -addext extendedKeyUsage=codeSigning,emailProtection -keyout ${key} -out ${keyring}`;

  const content = join(folder, 'content');
  const program = await placeOfProgram('hook');
  mkdirSync(dirname(join(content, program)), { recursive: true });
  const rootfsImage = join(folder, 'old.ext4');
  await makeImage(rootfsImage, '1.0.0');
  await makeImage(join(content, 'rootfs.ext4'), '1.1.0');
  writeFileSync(join(content, 'manifest.raucm'), manifestWith(program));
  writeFileSync(join(content, program), hook, { mode: 0o755 });
  const bundle = join(folder, 'update.raucb');
  await run`rauc bundle --cert=${keyring} --key=${key} ${content} ${bundle}`;
  return {
    folder,
    keyring,
    bundle,
    rootfsImage,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

async function makeImage(path: string, version: string): Promise<void> {
  const tree = `${path}.tree`;
  mkdirSync(join(tree, 'etc'), { recursive: true });
  writeFileSync(join(tree, 'etc/homie-version'), `${version}\n`);
  await command({
    deadlineMs: 30_000,
  })`mkfs.ext4 -q -O ${'^metadata_csum_seed,^orphan_file'} -d ${tree} ${path} 12M`;
  rmSync(tree, { recursive: true });
}

const manifestWith = (program: string): string => `[update]
compatible=jetson-nano-homie
version=1.1.0

[hooks]
filename=${program}
hooks=install-check

[image.rootfs]
filename=rootfs.ext4
hooks=pre-install;post-install
`;

/** Says what it finds, stops the orchestrator before the slot is written, and starts it again afterwards. */
const hook = `#!/bin/sh
set -eu
say() { echo "$* home=\${HOME-none} shlvl=\${SHLVL-none} boot=$HOMIE_BOOT_ID orchestrator=$(systemctl is-active orchestrator || true)" >> "$HOMIE_DATA/logs/hook.log"; }
case $1 in
  slot-pre-install) systemctl stop orchestrator ;;
  slot-post-install) systemctl start orchestrator ;;
esac
say "$1"
`;

export function makeSmallDevice(parts: Parts, options: Partial<DeviceOptions> = {}): Promise<EmbeddedDevice> {
  return createDevice({
    folder: join(parts.folder, `device-${Bun.randomUUIDv7().slice(-8)}`),
    keyringPath: parts.keyring,
    sizesMiB: smallSizesMiB,
    ...options,
  });
}

/** All that is left of the folder on this machine: itself, mounts, loop devices, processes. */
export function tracesOf(folder: string): string[] {
  const traces = existsSync(folder) ? [folder] : [];
  for (const line of readFileSync('/proc/mounts', 'utf8').split('\n'))
    if (line.includes(folder)) traces.push(line);
  for (const name of readdirSync('/sys/block')) {
    const file = readOr(`/sys/block/${name}/loop/backing_file`);
    if (file.includes(folder)) traces.push(`${name} ${file}`);
  }
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== `${process.pid}`)) {
    const words = `${readOr(`/proc/${pid}/cmdline`)} ${readOr(`/proc/${pid}/environ`)}`;
    if (words.includes(folder)) traces.push(`${pid} ${words.replaceAll('\0', ' ')}`);
  }
  return traces;
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
