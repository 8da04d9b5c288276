import { Failure } from '../../system/failure.ts';
import { redact } from '../../system/redact.ts';

/** Whether others may listen: plain http, but not to this device itself (the end of a tunnel, or a test). */
export function isOpenToOthers(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol !== 'https:' && !/^(127(\.\d{1,3}){3}|\[::1\]|localhost)$/.test(hostname);
}

/** Called before every request is sent. Throws a usage Failure if a token or password could be overheard. */
export function requirePrivacy(url: string, headers: Readonly<Record<string, string>> = {}): void {
  const { username, password } = new URL(url);
  const hasSecret =
    username !== '' ||
    password !== '' ||
    Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
  if (!hasSecret || !isOpenToOthers(url)) return;
  throw new Failure(`Cannot ask "${redact(url)}": a token or password would go over plain http`, {
    outcome: 'usage',
    advice: 'Use https',
  });
}
