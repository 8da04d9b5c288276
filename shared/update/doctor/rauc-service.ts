import { bad, type Check, type Judgement, ok, warn } from './finding.ts';
import { readTextIn } from './text-file.ts';

/** RAUC's service on the system bus, and who may ask it. */

export interface RaucServiceFacts {
  /** D-Bus' description of the service. */
  isActivated: boolean;
  /** D-Bus' policy for it; undefined where there is none. */
  policy: string | undefined;
}

const policyPlaces = ['/etc/dbus-1/system.d', '/usr/share/dbus-1/system.d'];

export const raucService: Check = {
  name: 'rauc service',
  async run({ places: { root } }) {
    const isActivated =
      readTextIn(root, '/usr/share/dbus-1/system-services/de.pengutronix.rauc.service') !== undefined;
    const policy = policyPlaces
      .map((folder) => readTextIn(root, `${folder}/de.pengutronix.rauc.conf`))
      .find((text) => text !== undefined);
    return judgeRaucService({ isActivated, policy });
  },
};

/** Debian's policy lets everybody ask: any user of the device could install an old bundle, or mark a slot bad. */
export function judgeRaucService({ isActivated, policy }: RaucServiceFacts): Judgement {
  if (!isActivated)
    return bad('D-Bus does not know RAUC: nothing can be installed or marked', 'Install rauc-service');
  if (policy === undefined)
    return bad(
      'D-Bus has no policy for RAUC: it lets nobody ask, or RAUC own its name',
      'Install rauc-service anew',
    );
  const everybody = [...policy.matchAll(/<policy\s+context="default">([\s\S]*?)<\/policy>/g)].map(
    ([, rules]) => rules ?? '',
  );
  const isOpen = everybody.some((rules) => {
    const words = rules.replace(/<!--[\s\S]*?-->/g, '');
    return /<allow[^>]*send_destination="de\.pengutronix\.rauc"/.test(words);
  });
  return isOpen
    ? warn(
        'its D-Bus policy lets every user of this device install, and mark slots',
        'Put a policy of your own into /etc/dbus-1/system.d/de.pengutronix.rauc.conf that allows root alone',
      )
    : ok('D-Bus starts it, and lets only those ask who may');
}
