import { readFileIn } from '../format/ext4-file.ts';
import { byName, type Component } from './component.ts';

/** The packages that dpkg lists as installed in an image of a root file system; none if it has no dpkg. */
export async function debianPackages(image: string): Promise<Component[]> {
  const release = await readFileIn(image, '/usr/lib/os-release');
  const vendor = /^ID=("?)([a-z0-9._-]+)\1$/m.exec(release)?.[2] ?? 'debian';
  return parseDpkgStatus(await readFileIn(image, '/var/lib/dpkg/status'), vendor);
}

/** Parses dpkg's status, paragraphs of `Field: value`. Licences are not in it, but in each package's copyright file. */
export function parseDpkgStatus(status: string, vendor: string): Component[] {
  return status
    .split(/\n{2,}/)
    .flatMap((paragraph) => {
      const field = (name: string) => new RegExp(`^${name}: (.+)$`, 'm').exec(paragraph)?.[1];
      const [name, version, architecture] = [field('Package'), field('Version'), field('Architecture')];
      if (name === undefined || version === undefined || field('Status') !== 'install ok installed')
        return [];
      const purl = `pkg:deb/${vendor}/${encode(name)}@${encode(version)}?arch=${architecture ?? 'all'}`;
      return [{ name, version, license: undefined, purl }];
    })
    .toSorted(byName);
}

/** The purl specification keeps colons as they are, and encodes the plus. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll('%3A', ':');
}
