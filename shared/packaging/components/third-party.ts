import { markdownTable } from '../format/markdown-table.ts';
import type { Component } from './component.ts';

export const thirdPartyFile = 'THIRD-PARTY.md';

/** Renders THIRD-PARTY.md: the compiled-in components, their licences, and the notices that must be shipped with them. */
export function renderThirdParty(packages: readonly Component[], runtime: readonly Component[]): string {
  return `# What is compiled into the programs

Made by \`bun build.ts licenses\`; a test fails where it is no longer true. These are the npm packages of which the bundler
takes anything in, and the runtime that every compiled program carries. Licences are SPDX identifiers. What a bundle holds,
the root file system's packages included, is in the CycloneDX file that is made beside it.

## npm packages

${table(packages)}

## The runtime

As bun's own LICENSE.md says what it links statically on Linux; it also carries browser polyfills, all of them MIT. Of these
JavaScriptCore (in WebKit) and TinyCC are under the LGPL: whoever wants to change one and link it again finds how in bun's
LICENSE.md, and all that is ours in this repository. Where no version stands, bun tells none.

${table(runtime)}

## Notices

${notices(packages)}
`;
}

function table(components: readonly Component[]): string {
  const rows = components.map(({ name, version, license }) => [
    name,
    shortVersion(version),
    license ?? 'several, by file',
  ]);
  return markdownTable(['what', 'version', 'licence'], rows);
}

function shortVersion(version = ''): string {
  return /^[0-9a-f]{40}$/.test(version) ? version.slice(0, 12) : version;
}

/** Each notice once, under the names of all packages that have it. */
function notices(components: readonly Component[]): string {
  const names = new Map<string, string[]>();
  for (const { name, version, notice } of components) {
    if (notice !== undefined) names.set(notice, [...(names.get(notice) ?? []), `${name} ${version}`]);
  }
  return [...names].map(([text, owners]) => `### ${owners.join(', ')}\n\n${indented(text)}`).join('\n\n');
}

function indented(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => (line.trim() === '' ? '' : `    ${line.trimEnd()}`))
    .join('\n');
}
