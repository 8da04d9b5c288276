import { Failure } from '../../system/failure.ts';

/** A release of a distribution that a root file system can be made of. */
export interface Suite {
  name: string;
  components: string;
  /** Packages that this release needs in addition, to be as complete as the others. */
  packages: readonly string[];
  /** The release's kernel, for a board that runs any kernel. */
  kernelPackage: string;
  /** Files of packages that are not unpacked, as dpkg options (`path-exclude=`, `path-include=`); the last match counts. */
  filters?: readonly string[];
  /** The keyring for the signatures of its packages, if the build machine's own apt does not know it. */
  keyring: string | undefined;
}

const debian = { components: 'main', kernelPackage: 'linux-image-arm64', keyring: undefined };
const known: Record<string, Omit<Suite, 'name'>> = {
  // The guide's release. Its rauc is older than 1.8: give a newer one with --debs.
  focal: {
    components: 'main universe',
    packages: ['systemd-timesyncd'],
    kernelPackage: 'linux-image-generic',
    keyring: '/usr/share/keyrings/ubuntu-archive-keyring.gpg',
  },
  bookworm: { ...debian, packages: ['systemd-timesyncd', 'systemd-resolved', 'usr-is-merged'] },
};

/** An unknown name is taken for a Debian like bookworm. Throws a usage Failure for an invalid name. */
export function suiteNamed(name: string, components?: string): Suite {
  if (!/^[a-z][a-z-]*$/.test(name)) {
    throw new Failure(`Cannot use the suite "${name}": a name like bookworm was expected`, {
      outcome: 'usage',
    });
  }
  const suite = known[name] ?? { ...debian, packages: ['systemd-timesyncd', 'systemd-resolved'] };
  return { name, ...suite, ...(components === undefined ? {} : { components }) };
}

/**
 * Without these packages the next update is impossible, or the device cannot be reached or trusted. rauc runs unsquashfs on
 * a plain bundle, but its package does not depend on squashfs-tools.
 */
const devicePackages = [
  ...['systemd', 'systemd-sysv', 'dbus', 'udev', 'kmod', 'iproute2', 'e2fsprogs', 'util-linux', 'mount'],
  ...[
    'rauc',
    'rauc-service',
    'squashfs-tools',
    'libubootenv-tool',
    'ca-certificates',
    'tzdata',
    'tar',
    'zstd',
    'xz-utils',
  ],
];
/**
 * The guide's list, and growpart, which needs python3. If the kernel has AppArmor, Docker starts no container without
 * apparmor_parser, and Docker's package only recommends apparmor.
 */
const stackPackages = [
  ...['docker.io', 'apparmor', 'docker-compose', 'python3', 'python3-pip', 'curl', 'wget', 'git'],
  ...['cloud-guest-utils', 'fdisk'],
];

export interface PackageChoice {
  suite: Suite;
  hasStack: boolean;
  hasSuiteKernel: boolean;
  more: readonly string[];
}

export function packagesOf({ suite, hasStack, hasSuiteKernel, more }: PackageChoice): string[] {
  const kernel = hasSuiteKernel ? [suite.kernelPackage, 'initramfs-tools'] : [];
  const all = [...devicePackages, ...suite.packages, ...(hasStack ? stackPackages : []), ...kernel, ...more];
  return [...new Set(all)].sort();
}
