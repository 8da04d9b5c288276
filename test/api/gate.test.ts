import { describe, expect, test } from 'bun:test';
import { requireOwnPage } from '../../shared/api/gate.ts';
import { HttpRefusal } from '../../shared/api/problem.ts';

/** Headers that a browser always adds; a page cannot leave them out. */
type Sent = Record<string, string>;

function isLetIn(headers: Sent): boolean {
  try {
    requireOwnPage(new Headers(headers));
    return true;
  } catch (error) {
    if (error instanceof HttpRefusal && error.status === 403) return false;
    throw error;
  }
}

const here = { host: '127.0.0.1:8081' };

describe('requireOwnPage()', () => {
  test.each<[string, Sent]>([
    ['curl by number', here],
    ['curl by name', { host: 'localhost' }],
    ['curl by IPv6', { host: '[::1]:8081' }],
    ['a proxy that writes it large', { host: 'LOCALHOST:8081' }],
    ['our page', { ...here, origin: 'http://127.0.0.1:8081', 'sec-fetch-site': 'same-origin' }],
    ['an address that was typed', { ...here, 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }],
    ['a link from elsewhere', { ...here, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }],
  ])('lets in %s', (_who, headers) => {
    expect(isLetIn(headers)).toBe(true);
  });

  test.each<[string, Sent]>([
    ['no Host', {}],
    ['a name that was made to point here', { host: 'updates.example.org' }],
    ['such a name with our port', { host: 'updates.example.org:8081' }],
    ['a name that begins like ours', { host: 'localhost.example.org' }],
    ['a name that ends like ours', { host: 'evil-localhost' }],
    ['a user before our name', { host: 'localhost@example.org' }],
    ['two Hosts', { host: 'localhost, example.org' }],
    ['another loopback address', { host: '127.0.0.2:8081' }],
    ['the page of another site', { ...here, origin: 'https://example.org' }],
    ['the page of another port', { ...here, origin: 'http://127.0.0.1:3000' }],
    ['the page of another name of ours', { ...here, origin: 'http://localhost:8081' }],
    ['a page by TLS', { ...here, origin: 'https://127.0.0.1:8081' }],
    ['a page without an origin', { ...here, origin: 'null' }],
    ['an image of another site', { ...here, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
    ['a script of the same site', { ...here, 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' }],
  ])('refuses %s', (_who, headers) => {
    expect(isLetIn(headers)).toBe(false);
  });
});
