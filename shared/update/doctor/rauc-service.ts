import { existsSync, readdirSync } from 'node:fs';
import { pathInRoot } from '../../system/files/rooted-path.ts';
import { bad, type Check, type Judgement, ok, warn } from './check-result.ts';
import { readTextIn } from './text-file.ts';

/** Checks RAUC's service on the system bus, and which users may call it. */

export interface RaucServiceFacts {
  /** Whether D-Bus has a description of the service. */
  isActivated: boolean;
  /** D-Bus' policies for RAUC, in the order in which D-Bus reads them: the last rule counts. Undefined when there is none. */
  policy: string | undefined;
}

const policyPlaces = ['/usr/share/dbus-1/system.d', '/etc/dbus-1/system.d'];

export const raucService: Check = {
  name: 'rauc service',
  async run({ places: { root } }) {
    const isActivated =
      readTextIn(root, '/usr/share/dbus-1/system-services/de.pengutronix.rauc.service') !== undefined;
    const policies = policyPlaces.flatMap((folder) => policiesIn(root, folder));
    const policy = policies.length === 0 ? undefined : policies.join('\n');
    return judgeRaucService({ isActivated, policy });
  },
};

/** A file of any name may contain a policy for RAUC; the files are read in the order of their names. */
function policiesIn(root: string, folder: string): string[] {
  const place = pathInRoot(root, folder);
  if (!existsSync(place)) return [];
  return readdirSync(place)
    .filter((name) => name.endsWith('.conf'))
    .sort()
    .flatMap((name) => readTextIn(root, `${folder}/${name}`) ?? [])
    .filter((text) => text.includes('"de.pengutronix.rauc"'));
}

/** Debian's policy lets every user call RAUC: any user of the device could install an old bundle, or mark a slot bad. */
export function judgeRaucService({ isActivated, policy }: RaucServiceFacts): Judgement {
  if (!isActivated)
    return bad('D-Bus does not know RAUC: nothing can be installed or marked', 'Install rauc-service');
  if (policy === undefined)
    return bad(
      'D-Bus has no policy for RAUC: no user may call RAUC, and RAUC may not own its name',
      'Install rauc-service again',
    );
  const plain = policy.replace(/<!--[\s\S]*?-->/g, '');
  const everybody = [...plain.matchAll(/<policy\s+context="default">([\s\S]*?)<\/policy>/g)];
  const rules = everybody.flatMap(([, text = '']) => [
    ...text.matchAll(/<(allow|deny)[^>]*send_destination="de\.pengutronix\.rauc"/g),
  ]);
  const isOpen = rules.at(-1)?.[1] === 'allow';
  return isOpen
    ? warn(
        'its D-Bus policy lets every user of this device install, and mark slots',
        'Deny it to the default context, and allow it to root, in a file of /etc/dbus-1/system.d',
      )
    : ok('D-Bus starts it, and only permitted users may call it');
}
