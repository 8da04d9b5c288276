import type { BundleEntry } from './bundle-entry.ts';

/** What only a packed bundle has. */
export interface Packing {
  compressor: string;
  /** All that is signed: the squashfs, its padding, and in a verity bundle the hash tree. */
  payloadBytes: number;
  signatureBytes: number;
  /** The manifest from the signature, in formats that keep it there. */
  signedManifest: string | undefined;
  /** A PEM file with the certificate that signed. */
  signerCertificate: string;
}

/** Opened for reading: files are where `localPath` says, for as long as this is not disposed of. */
export interface BundleContent extends AsyncDisposable {
  /** What findings about the bundle as a whole are filed under. */
  name: string;
  entries: ReadonlyMap<string, BundleEntry>;
  packing?: Packing;
  /** Brings files within reach of `localPath`. */
  fetch(paths: readonly string[]): Promise<void>;
  localPath(path: string): string;
  /** The first bytes of a file of any size. */
  head(path: string, bytes: number): Promise<Buffer>;
}

/** More is no bundle but a folder given by mistake: images go into a bundle as files. */
export const mostEntries = 20_000;
