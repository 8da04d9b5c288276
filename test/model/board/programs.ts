import { copyFileSync, linkSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorCodeOf } from '../../../shared/system/failure.ts';
import { nativeHook } from '../../support/build/native-programs.ts';

/** What a model's boards run: one file beside them, for they have links to it. */
export class ModelPrograms implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'homie-model-'));

  constructor() {
    const hook = join(this.folder, 'hook');
    try {
      linkSync(nativeHook, hook);
    } catch (error) {
      // Where temporary files lie on another file system.
      if (errorCodeOf(error) !== 'EXDEV') throw error;
      copyFileSync(nativeHook, hook);
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
