import { programVersion } from '../../system/version.ts';
import { uuidFrom } from '../root/image.ts';
import type { Component } from './component.ts';

export interface SbomFacts {
  bundle: { name: string; version: string; sha256: string };
  time: Date;
  programs: { sha256: string; components: readonly Component[] };
  rootfs: { name: string; sha256: string; packages: readonly Component[] };
}

/** Renders the parts of a bundle as CycloneDX 1.6: the programs, what is compiled into them, and the root file system. */
export function renderSbom({ bundle, time, programs, rootfs }: SbomFacts): string {
  const bom = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    // Made from the bundle's digest, so that the same bundle always gets the same number.
    serialNumber: `urn:uuid:${uuidFrom(`homie sbom ${bundle.sha256}`)}`,
    version: 1,
    metadata: {
      timestamp: time.toISOString(),
      tools: { components: [{ type: 'application', name: 'homie-rauc', version: programVersion }] },
      component: part('bundle', 'firmware', bundle.name, bundle.version, bundle.sha256),
    },
    components: [
      {
        ...part('programs', 'application', 'homie-rauc', programVersion, programs.sha256),
        ...licensesOf('MIT'),
      },
      ...programs.components.map(library),
      part('rootfs', 'operating-system', rootfs.name, bundle.version, rootfs.sha256),
      ...rootfs.packages.map(library),
    ],
    dependencies: [
      { ref: 'bundle', dependsOn: ['programs', 'rootfs'] },
      { ref: 'programs', dependsOn: programs.components.map(({ purl }) => purl) },
      { ref: 'rootfs', dependsOn: rootfs.packages.map(({ purl }) => purl) },
    ],
  };
  return `${JSON.stringify(bom, undefined, 2)}\n`;
}

function part(ref: string, type: string, name: string, version: string, sha256: string) {
  return { 'bom-ref': ref, type, name, version, hashes: [{ alg: 'SHA-256', content: sha256 }] };
}

function library({ name, version, license, purl, sha512 }: Component) {
  return {
    'bom-ref': purl,
    type: 'library',
    name,
    ...(version !== undefined && { version }),
    ...licensesOf(license),
    purl,
    ...(sha512 !== undefined && { hashes: [{ alg: 'SHA-512', content: sha512 }] }),
  };
}

/** The schema takes one identifier or one expression, never an expression as an identifier. */
function licensesOf(license: string | undefined) {
  if (license === undefined) return {};
  return { licenses: [license.includes(' ') ? { expression: license } : { license: { id: license } }] };
}
