import { readFileSync } from 'node:fs';
import { type KeyFile, type KeyFileEntry, type KeyFileGroup, parseKeyFile } from '../../rauc/key-file.ts';
import { type BundleFormat, isBundleFormat, manifestGroupOf } from '../../rauc/manifest-keys.ts';
import { readExt4 } from '../format/ext4-features.ts';
import { type RootSystem, readRootSystem } from '../format/root-system.ts';
import type { BundleContent, Packing } from './bundle-content.ts';
import { type BundleEntry, resolveEntry } from './bundle-entry.ts';
import { type Program, readProgram } from './program.ts';

/** All data that the rules look at, read beforehand: the rules themselves read no file. */
export interface Bundle {
  name: string;
  entries: ReadonlyMap<string, BundleEntry>;
  packing?: Packing;
  /** The file name in findings about the manifest: `bundle.conf` if there is only that. */
  manifestFile: string;
  isManifestMissing: boolean;
  /** False if there is neither a manifest nor a `bundle.conf` to judge in its place. */
  hasManifestText: boolean;
  manifest: KeyFile;
  manifestLines: readonly string[];
  /** By the path of the file itself, after all links are followed. */
  programs: ReadonlyMap<string, Program>;
  imageHeads: ReadonlyMap<string, Buffer>;
  /** Of ext4 images with a system in them, in a folder that is not packed yet: there they can be read without a copy. */
  roots: ReadonlyMap<string, RootSystem>;
  /** The texts of files that are small enough to be written by hand. */
  smallFiles: ReadonlyMap<string, string>;
}

export const manifestName = 'manifest.raucm';
const seedName = 'bundle.conf';
const smallFileBytes = 64 * 1024;
const mostSmallFiles = 500;
const mostSmallFileNameCharacters = 30_000;
/** An ext4 superblock ends here. */
const imageHeadBytes = 2048;

export async function inspectBundle(content: BundleContent): Promise<Bundle> {
  const { entries } = content;
  const small = chooseSmallFiles(entries);
  await content.fetch(small);
  const smallFiles = new Map(small.map((path) => [path, readFileSync(content.localPath(path), 'utf8')]));

  const manifestFile = [manifestName, seedName].find((name) => smallFiles.has(name));
  const text = content.packing?.signedManifest ?? smallFiles.get(manifestFile ?? '') ?? '';
  const manifest = parseKeyFile(text);

  const programs = filesNamed(entries, manifest, ['hooks', 'handler']);
  await content.fetch(programs.filter((path) => !smallFiles.has(path)));
  const imageGroups = imagesOf(manifest).map(({ name }) => name);
  const heads = new Map<string, Buffer>();
  for (const path of filesNamed(entries, manifest, imageGroups)) {
    heads.set(path, await content.head(path, imageHeadBytes));
  }
  return {
    name: content.name,
    entries,
    ...(content.packing === undefined ? {} : { packing: content.packing }),
    manifestFile: manifestFile ?? manifestName,
    isManifestMissing: manifestFile !== manifestName && content.packing?.signedManifest === undefined,
    hasManifestText: manifestFile !== undefined || content.packing?.signedManifest !== undefined,
    manifest,
    manifestLines: text.split('\n'),
    programs: new Map(programs.map((path) => [path, readProgram(content.localPath(path))])),
    imageHeads: heads,
    roots: await readRoots(content, heads),
    smallFiles,
  };
}

async function readRoots(
  content: BundleContent,
  heads: ReadonlyMap<string, Buffer>,
): Promise<Map<string, RootSystem>> {
  const roots = new Map<string, RootSystem>();
  if (content.packing !== undefined) return roots;
  for (const [path, head] of heads) {
    const root = readExt4(head) === undefined ? undefined : await readRootSystem(content.localPath(path));
    if (root !== undefined) roots.set(path, root);
  }
  return roots;
}

export function imagesOf(manifest: KeyFile): KeyFileGroup[] {
  return manifest.groups.filter(({ name }) => name.startsWith('image.'));
}

export function isArtifact(image: KeyFileGroup): boolean {
  return manifestGroupOf(image.name)?.title === '[image.REPO/ARTIFACT]';
}

/** The last entry of a key, with its line: GLib uses the last one too. */
export function entryIn(manifest: KeyFile, group: string, key: string): KeyFileEntry | undefined {
  return manifest.groups.find(({ name }) => name === group)?.entries.findLast((entry) => entry.key === key);
}

/** The format this bundle has or will have; `plain` is RAUC's default. */
export function formatOf({ manifest, packing }: Bundle, planned: BundleFormat | undefined): BundleFormat {
  const written = entryIn(manifest, 'bundle', 'format')?.value ?? '';
  if (isBundleFormat(written)) return written;
  return packing === undefined ? (planned ?? 'plain') : 'plain';
}

function chooseSmallFiles(entries: ReadonlyMap<string, BundleEntry>): string[] {
  const first = [manifestName, seedName];
  const chosen: string[] = [];
  let characters = 0;
  for (const path of [...first, ...[...entries.keys()].filter((name) => !first.includes(name))]) {
    const entry = entries.get(path);
    if (entry?.kind !== 'file' || entry.bytes > smallFileBytes) continue;
    characters += path.length;
    if (chosen.length >= mostSmallFiles || characters > mostSmallFileNameCharacters) break;
    chosen.push(path);
  }
  return chosen;
}

/** The real files behind `filename=` of these groups, each once. */
function filesNamed(
  entries: ReadonlyMap<string, BundleEntry>,
  manifest: KeyFile,
  groups: readonly string[],
): string[] {
  const files = groups.flatMap((group) => {
    const filename = entryIn(manifest, group, 'filename')?.value ?? '';
    const resolved = resolveEntry(entries, filename);
    return resolved.kind === 'found' && resolved.entry.kind === 'file' ? [resolved.entry.path] : [];
  });
  return [...new Set(files)];
}
