/** By what a server names one state of a file (RFC 9110, 8.8); null where it does not. */
export interface Validators {
  etag: string | null;
  lastModified: string | null;
}

export function validatorsIn(headers: Headers): Validators {
  return { etag: headers.get('etag'), lastModified: headers.get('last-modified') };
}

/** What `If-Range` may carry: a strong tag, else the date. Undefined: nobody can tell whether pieces belong together. */
export function rangeValidator({ etag, lastModified }: Validators): string | undefined {
  return etag !== null && !etag.startsWith('W/') ? etag : (lastModified ?? undefined);
}

/** Whether both name the same state; false where one says nothing that the other says too. */
export function isSameState(one: Validators, other: Validators): boolean {
  if (one.etag !== null && other.etag !== null) return one.etag === other.etag;
  return one.lastModified !== null && one.lastModified === other.lastModified;
}

/** Asks for the file only where it is another than that. */
export function unlessSame({ etag, lastModified }: Validators): Record<string, string> {
  if (etag !== null) return { 'If-None-Match': etag };
  return lastModified === null ? {} : { 'If-Modified-Since': lastModified };
}
