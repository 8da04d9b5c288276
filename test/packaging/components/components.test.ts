import { describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Component } from '../../../shared/packaging/components/component.ts';
import { debianPackages, parseDpkgStatus } from '../../../shared/packaging/components/debian-packages.ts';
import { compiledPackages, packageFolderOf } from '../../../shared/packaging/components/npm-packages.ts';
import { runtimeComponents } from '../../../shared/packaging/components/runtime.ts';
import { renderSbom } from '../../../shared/packaging/components/sbom.ts';
import { renderThirdParty, thirdPartyFile } from '../../../shared/packaging/components/third-party.ts';
import { project } from '../../../shared/packaging/project.ts';
import { makeDemoRootfs } from '../../../shared/packaging/root/rootfs.ts';
import { sbomFaults, spdxIdentifiers } from '../../support/build/cyclonedx.ts';

const sha256 = '0'.repeat(64);
const status = `Package: base-files
Status: install ok installed
Architecture: arm64
Version: 12.4+deb12u5
Description: miscellaneous
 Package: not this one

Package: gone
Status: deinstall ok config-files
Architecture: arm64
Version: 1.0

Package: g++
Status: install ok installed
Architecture: arm64
Version: 4:12.2.0-3
`;

function sbomWith(components: readonly Component[], packages: readonly Component[] = []): string {
  return renderSbom({
    bundle: { name: 'homie-orchestrator', version: '1.2.0', sha256 },
    time: new Date('2026-01-02T03:04:05Z'),
    programs: { sha256, components },
    rootfs: { name: 'rootfs.ext4', sha256, packages },
  });
}

describe('packageFolderOf()', () => {
  test.each([
    ['node_modules/zx/build/core.js', 'node_modules/zx'],
    ['node_modules/@scope/name/index.js', 'node_modules/@scope/name'],
    ['node_modules/cliui/node_modules/string-width/index.js', 'node_modules/cliui/node_modules/string-width'],
    ['../elsewhere/node_modules/yaml/dist/index.js', '../elsewhere/node_modules/yaml'],
    ['shared/system/terminal/log.ts', undefined],
  ])('%s lies in %p', (file, folder) => {
    expect(packageFolderOf(file)).toBe(folder);
  });
});

describe('what is compiled in', () => {
  test('is what THIRD-PARTY.md says', async () => {
    const text = renderThirdParty(await compiledPackages(), runtimeComponents());
    expect(readFileSync(join(project.root, thirdPartyFile), 'utf8')).toBe(text);
  });

  test('has every package that package.json names, under a licence that SPDX knows', async () => {
    const { dependencies } = JSON.parse(readFileSync(join(project.root, 'package.json'), 'utf8'));
    const packages = await compiledPackages();
    expect(packages.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(dependencies)));
    const known = spdxIdentifiers();
    for (const { name, license } of [...packages, ...runtimeComponents()]) {
      for (const word of license?.split(/ (?:AND|OR|WITH) /) ?? []) {
        expect({ name, word, isKnown: known.has(word) }).toEqual({ name, word, isKnown: true });
      }
    }
  });

  test('has a notice for every package', async () => {
    expect((await compiledPackages()).filter(({ notice }) => notice === undefined)).toEqual([]);
  });
});

describe('renderSbom()', () => {
  test('is CycloneDX 1.6 with all that is compiled in, and each part named once', async () => {
    const text = sbomWith(
      [...(await compiledPackages()), ...runtimeComponents()],
      parseDpkgStatus(status, 'debian'),
    );
    expect(sbomFaults(text)).toEqual([]);
    const { components, dependencies } = JSON.parse(text);
    const refs: string[] = components.map((part: { 'bom-ref': string }) => part['bom-ref']);
    expect(new Set(refs).size).toBe(refs.length);
    const named = dependencies.flatMap(({ dependsOn }: { dependsOn: string[] }) => dependsOn);
    expect(named.sort()).toEqual(refs.sort());
  });

  test('is the same for the same bundle', () => {
    expect(sbomWith([])).toBe(sbomWith([]));
  });

  test('would be found wrong with a licence that SPDX does not know', () => {
    const made = { name: 'x', version: '1', license: 'My-Own', purl: 'pkg:npm/x@1' };
    expect(sbomFaults(sbomWith([made])).join('\n')).toContain('/components/1/licenses');
  });
});

describe('debianPackages()', () => {
  test('takes what is installed, with epoch and plus as a purl writes them', () => {
    expect(parseDpkgStatus(status, 'debian').map(({ purl }) => purl)).toEqual([
      'pkg:deb/debian/base-files@12.4%2Bdeb12u5?arch=arm64',
      'pkg:deb/debian/g%2B%2B@4:12.2.0-3?arch=arm64',
    ]);
  });

  test('reads them out of a root file system, and finds none where there is no dpkg', async () => {
    mkdirSync(project.cache, { recursive: true });
    const folder = mkdtempSync(join(project.cache, 'components-test-'));
    try {
      const image = join(folder, 'rootfs.ext4');
      await makeDemoRootfs(image, '1.2.0', new Date(0));
      expect(await debianPackages(image)).toEqual([]);
      const files = { 'var/lib/dpkg/status': status, 'usr/lib/os-release': 'NAME="U"\nID=ubuntu\n' };
      await makeDemoRootfs(image, '1.2.0', new Date(0), files);
      expect((await debianPackages(image)).map(({ purl }) => purl)[0]).toContain(
        'pkg:deb/ubuntu/base-files@',
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
