import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { command } from '../../../shared/system/process/command.ts';

/** A temporary folder that is removed at the end of the test. */
export class TestFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'lint-test-'));

  write(name: string, content: string | Uint8Array, mode = 0o644): string {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    chmodSync(path, mode);
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export const goodManifest = `[update]
compatible=jetson-nano-homie
version=1.1.0
description=Issue #12 is "gone"

[bundle]
format=plain

[image.rootfs]
filename=rootfs.ext4
hooks=pre-install;post-install

[hooks]
filename=update-hooks/hook
hooks=install-check
`;

const goodHook = `#!/bin/sh
case "$1" in
  install-check) exit 0 ;;
  slot-pre-install | "slot-post-install")
    exit 0
    ;;
esac
`;

/** A real, tiny ext4 in a file; features as mkfs.ext4's -O takes them. */
export async function makeExt4(path: string, features = '^orphan_file'): Promise<void> {
  await command({ deadlineMs: 30_000 })`mkfs.ext4 -q -F -O ${features} ${path} 8M`;
}

/** A bundle's folder with nothing wrong in it, for the test to spoil. */
export async function goodBundle(image: string): Promise<TestFolder> {
  const folder = new TestFolder();
  folder.write('manifest.raucm', goodManifest);
  folder.write('update-hooks/hook', goodHook, 0o755);
  cpSync(image, join(folder.path, 'rootfs.ext4'));
  return folder;
}
