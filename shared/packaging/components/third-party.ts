import { markdownTable } from '../format/markdown-table.ts';
import type { Component } from './component.ts';

export const thirdPartyFile = 'THIRD-PARTY.md';

/** Renders THIRD-PARTY.md: the compiled-in components, their licences, and the notices that must be shipped with them. */
export function renderThirdParty(packages: readonly Component[], runtime: readonly Component[]): string {
  return `# What is compiled into the programs

Made by \`bun build.ts licenses\`; a test fails if it is out of date. These are the npm packages that the bundler includes,
and the runtime of every compiled program. Licences are SPDX identifiers. The content of a bundle, with the packages of the
root file system, is listed in the CycloneDX file beside it.

## npm packages

${table(packages)}

## The runtime

The parts that bun links statically on Linux, from its own LICENSE.md; bun also contains browser polyfills, all under MIT.
JavaScriptCore (in WebKit) and TinyCC are under the LGPL: bun's LICENSE.md says how to change one of them and link it again,
and our own parts are all in this repository. If no version is given, bun does not report it.

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
