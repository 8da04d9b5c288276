/** This device itself, and the link-local addresses of its own network (RFC 3927, RFC 4291). */
const isNear =
  /^(?:localhost|127(?:\.\d{1,3}){3}|169\.254(?:\.\d{1,3}){2}|\[::1\]|\[fe[89ab][0-9a-f]:[0-9a-f:]*\])$/;

/** What `no_proxy` has to say so that the URL's host is asked directly; undefined where it may stay as it is. */
export function noProxyFor(url: string, noProxy: string): string | undefined {
  const { hostname } = new URL(url);
  const names = noProxy.split(',').map((name) => name.trim());
  if (!isNear.test(hostname) || names.includes(hostname)) return undefined;
  const all = new Set([...names, hostname, hostname.replace(/^\[|\]$/g, '')]);
  return [...all].filter((name) => name !== '').join(',');
}

/**
 * Keeps a request to this device from the proxy of the environment, which would answer for itself. bun reads
 * `no_proxy` at each request; no option of its fetch says "none".
 */
export function keepFromProxy(url: string): void {
  const noProxy = noProxyFor(url, process.env['no_proxy'] ?? process.env['NO_PROXY'] ?? '');
  if (noProxy === undefined) return;
  process.env['no_proxy'] = noProxy;
  process.env['NO_PROXY'] = noProxy;
}
