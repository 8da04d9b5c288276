import { X509Certificate } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseKeyFile, valueIn } from '../../rauc/key-file.ts';
import { readSystemConf } from '../../rauc/system-conf.ts';
import { reasonOf } from '../../system/failure.ts';
import { isClockTrusted } from '../schedule/window.ts';
import { bad, type Check, type Judgement, ok, warn, worst } from './check-result.ts';

/** Checks the certificates that this device trusts: without a valid one no bundle is ever accepted again. */

export interface KeyringFacts {
  path: string;
  certificates: readonly { subject: string; notBefore: Date; notAfter: Date }[];
  /** Private keys in the same folder. */
  privateKeys: readonly string[];
  now: Date;
}

const dayMs = 24 * 60 * 60_000;
/** Enough time to bring a new certificate to every device by an update. */
const warnDays = 180;
const advice =
  'Ship a keyring with the next root beside this one in an update, while this one is still valid';

export const keyring: Check = {
  name: 'keyring',
  async run({ places }, { now }) {
    const conf = readSystemConf(places.root);
    const named =
      conf === undefined
        ? undefined
        : valueIn(parseKeyFile(readFileSync(conf.path, 'utf8')), 'keyring', 'path');
    if (conf === undefined || named === undefined)
      return bad('system.conf names no keyring', 'Set path= in its group [keyring]');
    const path = resolve(dirname(conf.path), named);
    if (!existsSync(path))
      return bad(`"${path}" is not there: no bundle can be verified`, 'Put the root certificate there');
    try {
      const certificates = readCertificates(readFileSync(path, 'utf8'));
      return judgeKeyring({ path, certificates, privateKeys: privateKeysIn(dirname(path)), now });
    } catch (error) {
      return bad(`"${path}" cannot be read: ${reasonOf(error)}`, 'Put the root certificate there, as PEM');
    }
  },
};

export function judgeKeyring({ path, certificates, privateKeys, now }: KeyringFacts): Judgement {
  const last = certificates.toSorted((one, other) => other.notAfter.getTime() - one.notAfter.getTime())[0];
  if (last === undefined)
    return bad(`"${path}" holds no certificate`, 'Put the root certificate there, as PEM');
  const until = last.notAfter.toISOString().slice(0, 10);
  const daysLeft = Math.floor((last.notAfter.getTime() - now.getTime()) / dayMs);
  const isClockSet = isClockTrusted(now);
  const young = certificates.every(({ notBefore }) => notBefore > now);
  return worst(
    [
      privateKeys[0] === undefined
        ? undefined
        : bad(
            `a private key is on the device: "${privateKeys[0]}"; with it, updates for every device can be signed`,
            'Remove it, and treat it as stolen: make new keys',
          ),
      isClockSet && daysLeft < 0
        ? bad(`it ended on ${until}`, 'Give the device a new keyring by hand')
        : undefined,
      isClockSet && young ? bad('it is not valid yet: the clock is behind', 'Set the clock') : undefined,
      isClockSet && daysLeft < warnDays
        ? warn(`it ends on ${until}, in ${daysLeft} days`, advice)
        : undefined,
      isClockSet
        ? undefined
        : warn(`it ends on ${until}; the clock cannot tell whether that is past`, 'Set the clock'),
    ],
    ok(`${certificates.length === 1 ? 'one root' : `${certificates.length} roots`}, valid until ${until}`),
  );
}

function readCertificates(text: string): KeyringFacts['certificates'] {
  const pems = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  return pems.map((pem) => {
    const { subject, validFrom, validTo } = new X509Certificate(pem);
    return { subject, notBefore: new Date(validFrom), notAfter: new Date(validTo) };
  });
}

function privateKeysIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(pem|key)$/.test(entry.name))
    .map(({ name }) => join(folder, name))
    .filter((path) => /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/.test(readFileSync(path, 'latin1')));
}
