import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { Failure, reasonOf } from '../../system/failure.ts';
import { requireTool } from './host.ts';

const packageOfTool = {
  rauc: 'rauc',
  'dbus-daemon': 'dbus-daemon',
  losetup: 'mount',
  sfdisk: 'fdisk',
  'mkfs.vfat': 'dosfstools',
  'mkfs.ext4': 'e2fsprogs',
  resize2fs: 'e2fsprogs',
  fw_setenv: 'libubootenv-tool',
  fw_printenv: 'libubootenv-tool',
  flock: 'util-linux',
  setsid: 'util-linux',
};

/** linux/capability.h: bit 21. */
const capSysAdmin = 1n << 21n;
/** sockaddr_un(7): 108 bytes with the last NUL. */
const longestSocketPath = 107;

/** Throws a Failure if this machine cannot carry an embedded device. Changes nothing. */
export function requireMachine(): void {
  if (process.getuid?.() !== 0) throw cannotMake('it needs root (loop devices, mounts)', asRoot);
  requirePrivileges();
  for (const [tool, debianPackage] of Object.entries(packageOfTool)) requireTool(tool, debianPackage);
}

/** What root must be able to do here. Throws a Failure; called by another user it answers for root. */
export function requirePrivileges(): void {
  if (!mayMount()) throw cannotMake('root may not mount here (CAP_SYS_ADMIN is missing)', privileged);
  if (!existsSync('/dev/loop-control')) throw cannotMake('this machine has no loop devices', loops);
}

const asRoot = 'Run it as root, or in a virtual machine where you are root';
const privileged = 'Run it on a machine, or in a container with all privileges (docker run --privileged)';
const loops = `Load the "loop" module. ${privileged}`;

function cannotMake(reason: string, advice: string): Failure {
  return new Failure(`Cannot make an embedded device: ${reason}`, { advice });
}

/** capabilities(7): what root has, or for another user what root may have. */
export function mayMount(): boolean {
  const which = process.getuid?.() === 0 ? 'CapEff' : 'CapBnd';
  const mask = new RegExp(`^${which}:\\s*(\\w+)$`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return mask === undefined || (BigInt(`0x${mask}`) & capSysAdmin) !== 0n;
}

/**
 * Makes the folder if it is missing, and returns its real path. The folder is removed with the device, so a folder that is
 * not empty is refused, and so is a name that fw_env.config, PATH or a socket address cannot hold. Throws a Failure.
 */
export function claimFolder(path: string): string {
  const cannot = `Cannot make an embedded device in "${path}"`;
  let folder: string;
  try {
    mkdirSync(path, { recursive: true });
    folder = realpathSync(path);
    if (readdirSync(folder).length > 0)
      throw new Failure(`${cannot}: it is not empty`, {
        advice: 'Give it a folder of its own; it is removed with the device',
      });
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`${cannot}: ${reasonOf(error)}`, { cause: error });
  }
  if (!/^[\w./+@,-]+$/.test(folder))
    throw new Failure(`${cannot}: its name has characters that fw_env.config or PATH cannot carry`, {
      advice: 'Use letters, digits and . _ - only',
    });
  if (Buffer.byteLength(`${folder}/bus`) > longestSocketPath)
    throw new Failure(`${cannot}: its name is too long for a socket`, {
      advice: 'Use a folder nearer to /tmp',
    });
  return folder;
}
