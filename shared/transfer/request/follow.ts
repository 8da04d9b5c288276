import { redact } from '../../system/redact.ts';
import type { Credentials } from './credentials.ts';
import { fetchFailure } from './fetch-failure.ts';
import { type OpenAnswer, open } from './http.ts';

/** More redirects than this are a circle, or a faulty server. */
const mostRedirects = 5;
const redirects = [301, 302, 303, 307, 308];

export interface FollowOptions {
  headers: Record<string, string>;
  credentials: Credentials;
  signal: AbortSignal;
}

export interface Followed {
  answer: OpenAnswer;
  /** The URL that gave the answer, after all redirects. */
  url: string;
}

/**
 * Opens the URL `start`, and follows redirects. The credentials go to the origin of `home` and to no other, and a
 * redirect from https to http is rejected. Throws a Failure for a redirect that is not followed.
 */
export async function openFollowed(
  home: string,
  start: string,
  { headers, credentials, signal }: FollowOptions,
): Promise<Followed> {
  let url = start;
  for (let count = 0; count <= mostRedirects; count += 1) {
    const isAtHome = new URL(url).origin === new URL(home).origin;
    const { ca } = credentials.tls ?? {};
    const answer = await open(url, {
      headers: isAtHome ? { ...headers, ...credentials.headers } : headers,
      tls: isAtHome ? credentials.tls : ca === undefined ? undefined : { ca },
      signal,
    });
    if (!redirects.includes(answer.status)) return { answer, url };
    await answer.close();
    url = nextUrl(url, answer.headers.get('location'));
  }
  throw fetchFailure(home, `it redirects more than ${mostRedirects} times`);
}

function nextUrl(from: string, location: string | null): string {
  const next = location === null ? null : URL.parse(location, from);
  if (next === null) throw fetchFailure(from, 'it redirects without saying where to');
  if (next.protocol !== 'https:' && next.protocol !== 'http:')
    throw fetchFailure(from, `it redirects to ${next.protocol}, which is not followed`);
  if (new URL(from).protocol === 'https:' && next.protocol === 'http:')
    throw fetchFailure(from, `it redirects from https to http (${redact(next.href)}), which is not followed`);
  next.username = '';
  next.password = '';
  return next.href;
}
