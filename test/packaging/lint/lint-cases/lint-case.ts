import { join } from 'node:path';
import type { LintOptions } from '../../../../shared/packaging/lint/lint-target.ts';
import { goodManifest, type TestFolder } from '../bundle-folder.ts';

/**
 * What is wrong; the rules that must find it, where no other may find anything; level and place of the first rule's
 * finding; what spoils the good bundle; and the devices.
 */
export type LintCase = readonly [
  fault: string,
  rules: string,
  place: string,
  spoil: (folder: TestFolder) => unknown,
  options?: LintOptions,
];

export const manifest = 'manifest.raucm';
export const hook = 'update-hooks/hook';
/** Stands for the bundle's own name. */
export const wholeBundle = 'BUNDLE';
const lines = goodManifest.split('\n');
export const end = `${manifest}:${lines.length}`;

/** Where the good manifest has this line. */
export function on(line: string, later = 0): string {
  if (!lines.includes(line)) throw new Error(`The good manifest has no line "${line}"`);
  return `${manifest}:${lines.indexOf(line) + 1 + later}`;
}

export function edit(was: string, is: string): (folder: TestFolder) => string {
  if (!goodManifest.includes(was)) throw new Error(`The good manifest has no "${was}"`);
  return (folder) => folder.write(manifest, goodManifest.replace(was, is));
}

export function append(text: string): (folder: TestFolder) => string {
  return (folder) => folder.write(manifest, `${goodManifest}${text}\n`);
}

export function within(folder: TestFolder, name: string): string {
  return join(folder.path, name);
}
