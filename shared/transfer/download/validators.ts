/** How a server identifies one state of a file (RFC 9110, 8.8); null if it does not. */
export interface Validators {
  etag: string | null;
  lastModified: string | null;
}

export function validatorsIn(headers: Headers): Validators {
  return { etag: headers.get('etag'), lastModified: headers.get('last-modified') };
}

/** The value for `If-Range`: a strong tag, else the date. Undefined: it is unknown whether pieces belong together. */
export function rangeValidator({ etag, lastModified }: Validators): string | undefined {
  return etag !== null && !etag.startsWith('W/') ? etag : (lastModified ?? undefined);
}

/** Whether both name the same state; false if they have no validator in common. */
export function isSameState(one: Validators, other: Validators): boolean {
  if (one.etag !== null && other.etag !== null) return one.etag === other.etag;
  return one.lastModified !== null && one.lastModified === other.lastModified;
}

/** The headers that ask for the file only if it has changed. */
export function unlessSame({ etag, lastModified }: Validators): Record<string, string> {
  if (etag !== null) return { 'If-None-Match': etag };
  return lastModified === null ? {} : { 'If-Modified-Since': lastModified };
}
