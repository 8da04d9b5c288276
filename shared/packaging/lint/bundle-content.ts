import type { BundleEntry } from './bundle-entry.ts';

/** Facts that only a packed bundle has. */
export interface Packing {
  compressor: string;
  /** The size of all that is signed: the squashfs, its padding, and in a verity bundle the hash tree. */
  payloadBytes: number;
  signatureBytes: number;
  /** The manifest from the signature, in formats that keep it there. */
  signedManifest: string | undefined;
  /** Why the payload is not the one that was signed; then no entry is listed. */
  damage: string | undefined;
  /** A PEM file with the certificate that signed. */
  signerCertificate: string;
}

/** A bundle that is open for reading. A fetched file is at its `localPath` until the content is disposed of. */
export interface BundleContent extends AsyncDisposable {
  /** The file name in findings about the bundle as a whole. */
  name: string;
  entries: ReadonlyMap<string, BundleEntry>;
  packing?: Packing;
  /** Makes the files readable at their `localPath`. */
  fetch(paths: readonly string[]): Promise<void>;
  localPath(path: string): string;
  /** The first bytes of a file of any size. */
  head(path: string, bytes: number): Promise<Buffer>;
}

/** A folder with more entries is no bundle but was given by mistake: images go into a bundle as files. */
export const mostEntries = 20_000;
