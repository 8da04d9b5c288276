/** Plain http that others may listen to; not to this very device: a tunnel's end, or a test. */
export function isOpenToOthers(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol !== 'https:' && !/^(127(\.\d{1,3}){3}|\[::1\]|localhost)$/.test(hostname);
}
