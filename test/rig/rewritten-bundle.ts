import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command } from '../../shared/system/process/command.ts';

/** What RAUC counts by itself when it packs; newer ones refuse a manifest that has it already. */
const counted = /^(sha256|size)=.*\n/gm;

/** A bundle that our own build would refuse to make: unpacked, edited, and packed again by RAUC alone. */
export async function rewriteManifest(options: {
  bundle: string;
  folder: string;
  keys: { certificatePath: string; keyPath: string };
  edit: (manifest: string) => string;
}): Promise<string> {
  const { bundle, keys } = options;
  const folder = mkdtempSync(join(options.folder, 'rewritten-'));
  const content = join(folder, 'content');
  const run = command({ deadlineMs: 60_000 });
  await run`unsquashfs -quiet -no-progress -no-xattrs -dest ${content} ${bundle}`;
  const manifest = join(content, 'manifest.raucm');
  writeFileSync(manifest, options.edit(readFileSync(manifest, 'utf8').replace(counted, '')));
  const output = join(folder, 'rewritten.raucb');
  const signing = [`--cert=${keys.certificatePath}`, `--key=${keys.keyPath}`, '--mksquashfs-args=-comp lz4'];
  await run`rauc bundle ${signing} ${content} ${output}`;
  return output;
}
