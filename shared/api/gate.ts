import { HttpRefusal } from './problem.ts';

/** Decides who may send requests: this device itself, and pages that we have served. A browser also runs foreign pages. */

/** The names of this device for itself. A foreign page whose name was made to point here (DNS rebinding) has another Host. */
const ownNames = ['localhost', '127.0.0.1', '[::1]'];

/** Throws a Refusal for a request that a foreign page may have sent. */
export function requireOwnPage(headers: Headers): void {
  const host = headers.get('host') ?? '';
  const name = host.replace(/:\d{1,5}$/, '').toLowerCase();
  if (!ownNames.includes(name))
    throw new HttpRefusal(403, 'The Host header has to name this device: localhost, 127.0.0.1 or [::1]');
  const origin = headers.get('origin');
  if (origin !== null && origin.toLowerCase() !== `http://${host.toLowerCase()}`)
    throw new HttpRefusal(403, 'Requests from another origin are refused');
  // Some requests have no Origin, such as that of an image. A link to our page (`navigate`) is harmless.
  const site = headers.get('sec-fetch-site') ?? 'none';
  if (!['none', 'same-origin'].includes(site) && headers.get('sec-fetch-mode') !== 'navigate')
    throw new HttpRefusal(403, 'Requests from another site are refused');
}
