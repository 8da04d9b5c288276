import { release } from 'node:os';
import { gunzipSync } from 'node:zlib';
import { bad, type Check, type Judgement, ok, warn, worst } from './check-result.ts';
import { readBytesIn, readTextIn } from './text-file.ts';

/** Checks what RAUC needs from the kernel to open a bundle: built in, or as a module of the running kernel. */

export interface KernelFacts {
  release: string;
  /** The texts of /proc/filesystems and /proc/devices. */
  filesystems: string;
  devices: string;
  /** The texts of modules.builtin and modules.dep: paths of modules. */
  modules: string;
  /** The kernel's own configuration; undefined when it is not available. */
  config: string | undefined;
}

const rebuild = 'Build the kernel with it, or install the package with its modules';
/** The compressors that our build supports, and the name of each in the kernel's configuration. */
const compressors = { gzip: 'ZLIB', xz: 'XZ', lz4: 'LZ4', zstd: 'ZSTD' } as const;

export const kernel: Check = {
  name: 'kernel',
  async run({ places: { root } }) {
    const version = release();
    const text = (path: string): string => readTextIn(root, path) ?? '';
    return judgeKernel({
      release: version,
      filesystems: text('/proc/filesystems'),
      devices: text('/proc/devices'),
      modules: ['builtin', 'dep'].map((name) => text(`/lib/modules/${version}/modules.${name}`)).join('\n'),
      config: configIn(root, version),
    });
  },
};

export function judgeKernel(facts: KernelFacts): Judgement {
  const { filesystems, devices, config } = facts;
  if (filesystems === '')
    return warn('/proc cannot be read: what the kernel can do is unknown', 'Mount /proc');
  const hasSquashfs = /\bsquashfs$/m.test(filesystems) || hasModule(facts, 'squashfs');
  const hasLoop = /^\s*\d+ loop$/m.test(devices) || hasModule(facts, 'loop');
  const hasMapper = /^\s*\d+ device-mapper$/m.test(devices) || hasModule(facts, 'dm-mod');
  const hasVerity = isSet(config, 'DM_VERITY') ?? (hasModule(facts, 'dm-verity') ? true : undefined);
  const known = Object.entries(compressors).filter(([, key]) => isSet(config, `SQUASHFS_${key}`) === true);
  const names = known.map(([name]) => name);
  return worst(
    [
      hasSquashfs ? undefined : bad('it has no squashfs: no bundle can be opened', rebuild),
      hasLoop ? undefined : bad('it has no loop devices: no bundle can be opened', rebuild),
      config !== undefined && names.length === 0
        ? bad('its squashfs supports none of gzip, xz, lz4 and zstd', rebuild)
        : undefined,
      hasMapper && hasVerity !== false
        ? undefined
        : warn('it has no dm-verity: only plain bundles can be installed, up to 2 GiB', rebuild),
      config === undefined
        ? warn(
            'squashfs, loop and device-mapper are there; it is unknown which compressors squashfs supports',
            'Build bundles with gzip or xz, which almost every kernel with squashfs supports',
          )
        : undefined,
    ],
    ok(`squashfs (${names.join(', ')}), loop and dm-verity are there`),
  );
}

function hasModule({ modules }: KernelFacts, name: string): boolean {
  return new RegExp(`(?:^|/)${name}\\.ko(?:\\.\\w+)?(?::|$)`, 'm').test(modules);
}

/** Undefined when the configuration is unknown. */
function isSet(config: string | undefined, key: string): boolean | undefined {
  return config === undefined ? undefined : new RegExp(`^CONFIG_${key}=[ym]$`, 'm').test(config);
}

function configIn(root: string, version: string): string | undefined {
  const packed = readBytesIn(root, '/proc/config.gz');
  return packed === undefined ? readTextIn(root, `/boot/config-${version}`) : gunzipSync(packed).toString();
}
