import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Failure } from '../../system/failure.ts';
import { makeFolder } from '../../system/files/durable-file.ts';
import { command } from '../../system/process/command.ts';
import { project } from '../project.ts';
import { byName, type Component } from './component.ts';

const bundleMs = 120_000;

/** The npm packages with code in the programs, as the bundler lists them. Throws a Failure if one has no licence. */
export async function compiledPackages(): Promise<Component[]> {
  const lock = readJson(join(project.root, 'package-lock.json')) as Lock; // npm's own format, version 3
  const folders = new Set((await bundledFiles()).flatMap((file) => packageFolderOf(file) ?? []));
  const all = [...folders].map((folder) => describePackage(folder, lock));
  // The same version may lie in two folders.
  return [...new Map(all.map((one) => [one.purl, one])).values()].toSorted(byName);
}

interface Lock {
  packages: Record<string, { integrity?: string } | undefined>;
}

interface Manifest {
  name: string;
  version: string;
  license?: string;
}

async function bundledFiles(): Promise<string[]> {
  makeFolder(project.cache);
  const folder = mkdtempSync(join(project.cache, 'components-'));
  try {
    const metafile = join(folder, 'meta.json');
    const flags = ['--target=bun', '--minify', '--define=HOMIE_FAULT_POINTS=false'];
    const run = command({ deadlineMs: bundleMs, cwd: project.root });
    await run`${process.execPath} build ${flags} ${`--metafile=${metafile}`} --outdir ${folder} ${project.entry}`;
    const { inputs } = readJson(metafile) as { inputs: Record<string, unknown> }; // esbuild's metafile format
    return Object.keys(inputs);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The package's folder, like `node_modules/cliui/node_modules/string-width`; undefined for a file of ours. */
export function packageFolderOf(file: string): string | undefined {
  return /^(.*\bnode_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1];
}

function describePackage(folder: string, lock: Lock): Component {
  const path = resolve(project.root, folder);
  const { name, version, license } = readJson(join(path, 'package.json')) as Manifest; // npm requires the first two
  if (license === undefined) {
    throw new Failure(`Cannot name the licence of "${name}": its package.json says none`);
  }
  // If node_modules is a link, the path leads to another place; the paths in the lock file begin at `node_modules/`.
  const integrity = lock.packages[folder.slice(folder.indexOf('node_modules/'))]?.integrity;
  const notice = noticeIn(path);
  return {
    name,
    version,
    license,
    purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
    ...(integrity?.startsWith('sha512-') && {
      sha512: Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex'),
    }),
    ...(notice !== undefined && { notice }),
  };
}

function noticeIn(folder: string): string | undefined {
  const names = readdirSync(folder);
  const files = names.filter((name) => /^(licen[cs]e|copying|notice)\b/i.test(name)).toSorted();
  const texts = files.map((name) => readFileSync(join(folder, name), 'utf8').trim());
  if (texts.length > 0) return texts.join('\n\n');
  const readme = names.find((name) => /^readme\b/i.test(name));
  if (readme === undefined) return undefined;
  const text = readFileSync(join(folder, readme), 'utf8').replaceAll('&lt;', '<').replaceAll('&gt;', '>');
  return /^#+ Licen[cs]e\s*\n([\s\S]+)$/im.exec(text)?.[1]?.trim();
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}
