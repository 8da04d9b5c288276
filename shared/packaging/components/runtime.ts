import { byName, type Component } from './component.ts';

/**
 * Lists bun, which every compiled program contains as a whole, and the libraries that bun links statically on Linux,
 * according to its own LICENSE.md. The commit or version of each library comes from bun, where bun gives one.
 */
export function runtimeComponents(): Component[] {
  return [
    { name: 'bun', version: Bun.version, license: 'MIT', purl: `pkg:npm/bun@${Bun.version}` },
    ...linked.map(([repository, license, key]) => linkedLibrary(repository, license, key)).toSorted(byName),
  ];
}

const linked: readonly (readonly [repository: string, license: string | undefined, key?: string])[] = [
  ['aklomp/base64', 'BSD-2-Clause'],
  ['c-ares/c-ares', 'MIT', 'ares'],
  ['cloudflare/lol-html', 'BSD-3-Clause', 'lolhtml'],
  ['ebiggers/libdeflate', 'MIT', 'libdeflate'],
  ['facebook/zstd', 'BSD-3-Clause OR GPL-2.0-only', 'zstd'],
  // Several licences, depending on the file; the project gives no single expression.
  ['google/boringssl', undefined, 'boringssl'],
  ['google/brotli', 'MIT'],
  ['google/highway', 'Apache-2.0'],
  ['h2o/picohttpparser', 'MIT OR Artistic-1.0-Perl OR GPL-1.0-or-later', 'picohttpparser'],
  ['jacobsandlund/uucode', 'MIT'],
  ['libarchive/libarchive', undefined, 'libarchive'],
  ['libjpeg-turbo/libjpeg-turbo', 'BSD-3-Clause AND IJG AND Zlib'],
  ['litespeedtech/ls-hpack', 'MIT', 'lshpack'],
  ['litespeedtech/ls-qpack', 'MIT'],
  ['litespeedtech/lsquic', 'MIT AND BSD-3-Clause'],
  ['llvm/llvm-project', 'Apache-2.0 WITH LLVM-exception'],
  ['microsoft/mimalloc', 'MIT', 'mimalloc'],
  ['oven-sh/webkit', 'LGPL-2.0-or-later AND BSD-2-Clause', 'webkit'],
  ['randy408/libspng', 'BSD-2-Clause'],
  ['simdutf/simdutf', 'Apache-2.0'],
  ['sqlite/sqlite', 'blessing', 'sqlite'],
  ['tinycc/tinycc', 'LGPL-2.1-or-later', 'tinycc'],
  ['unetworking/usockets', 'Apache-2.0', 'usockets'],
  ['unetworking/uwebsockets', 'Apache-2.0', 'uwebsockets'],
  ['unicode-org/icu', 'Unicode-3.0', 'icu'],
  ['webmproject/libwebp', 'BSD-3-Clause'],
  ['zlib-ng/zlib-ng', 'Zlib', 'zlib'],
];

function linkedLibrary(repository: string, license: string | undefined, key: string | undefined): Component {
  const version = key === undefined ? undefined : process.versions[key];
  const name = repository.slice(repository.indexOf('/') + 1);
  return { name: `${name} (in bun)`, version, license, purl: purlOf(repository, name, version) };
}

function purlOf(repository: string, name: string, version: string | undefined): string {
  if (version === undefined) return `pkg:generic/${name}`;
  return /^[0-9a-f]{40}$/.test(version)
    ? `pkg:github/${repository}@${version}`
    : `pkg:generic/${name}@${version}`;
}
