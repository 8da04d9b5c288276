import { describe, expect, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { boardNames, readBoard } from '../../../shared/packaging/board/board.ts';
import { fillBundleFolder } from '../../../shared/packaging/bundle/bundle-folder.ts';
import { renderManifest } from '../../../shared/packaging/bundle/manifest.ts';
import { project } from '../../../shared/packaging/project.ts';
import { parseKeyFile, valueIn } from '../../../shared/rauc/key-file.ts';
import { failureOf } from '../../support/failure-of.ts';
import { TempFolder } from '../../support/temp-folder.ts';

describe('the manifest of a bundle', () => {
  test.each([undefined, ...boardNames()])('is for the board %p alone', async (name) => {
    using folder = new TempFolder();
    folder.write('programs/hook', 'a program', 0o755);
    const compatible = name === undefined ? undefined : readBoard(name).compatible;
    await fillBundleFolder(folder.at('bundle'), {
      rootfs: folder.write('rootfs.ext4', 'image'),
      programs: folder.at('programs'),
      architecture: 'arm64',
      compatible,
      version: '1.2.3',
      time: new Date(0),
      revision: 'abc',
      format: 'plain',
      isFlat: false,
    });
    const manifest = parseKeyFile(readFileSync(folder.at('bundle/manifest.raucm'), 'utf8'));
    expect(valueIn(manifest, 'update', 'compatible')).toBe(compatible ?? 'jetson-nano-homie');
    expect(valueIn(manifest, 'update', 'version')).toBe('1.2.3');
    expect(existsSync(folder.at('bundle/update-hooks/system-check'))).toBe(true);
  });

  test('is refused where a field has no value', async () => {
    const source = readFileSync(join(project.skeleton, 'bundle.conf'), 'utf8');
    const fields = { compatible: 'c', version: 'v', build: 'b', revision: 'r', format: 'f', hook: 'h' };
    expect(renderManifest(source, fields)).not.toContain('${');
    const failure = await failureOf(() => renderManifest(`x=\${compatibel}\n`, fields));
    expect(failure.message).toBe(`Cannot render bundle.conf: line 1, field "\${compatibel}" is not known`);
  });
});
