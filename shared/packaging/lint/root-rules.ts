import { isOlder } from '../format/dotted-version.ts';
import type { RootSystem } from '../format/root-system.ts';
import { error, type LintFinding, type Place } from './lint-finding.ts';

/** The first systemd that starts a oneshot service again which failed: post-activate relies on it. */
const systemdMin = '244';
/** The oldest RAUC that our hooks and programs know. */
const raucMin = '1.8';

/** Judges whether the system in an image can prove itself after the reboot: without any of these it falls back each time. */
export function judgeRoot(place: Place, root: RootSystem): LintFinding[] {
  const fault = (
    rule: 'root-systemd' | 'root-rauc' | 'root-data' | 'root-compose',
    what: string,
    advice: string,
  ) => error(rule, place, `${what}: the device would fall back from it after the reboot`, advice);
  return [
    ...(root.systemd !== undefined && isOlder(root.systemd, systemdMin)
      ? [
          fault(
            'root-systemd',
            `the image has systemd ${root.systemd}, and the check after the reboot needs ${systemdMin}`,
            'Build it of a newer release',
          ),
        ]
      : []),
    ...raucFault(root).map((what) =>
      fault('root-rauc', what, `Install rauc ${raucMin} or newer in the image`),
    ),
    ...(root.mountsData
      ? []
      : [
          fault(
            'root-data',
            'the image mounts nothing at /data',
            'Add a line for /data to its /etc/fstab, as in the documents of the device',
          ),
        ]),
    ...(root.hasCompose || !root.needsCompose
      ? []
      : [
          fault(
            'root-compose',
            'the image has a compose file, and neither docker-compose nor the compose plugin of docker',
            'Install docker-compose in the image',
          ),
        ]),
  ];
}

function raucFault({ hasRauc, rauc }: RootSystem): string[] {
  if (!hasRauc) return ['the image has no rauc'];
  if (rauc === undefined || !isOlder(rauc, raucMin)) return [];
  return [`the image has rauc ${rauc}, which is older than ${raucMin}`];
}
