import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { project } from '../../shared/packaging/project.ts';
import { TempFolder } from '../support/temp-folder.ts';
import type { Point } from './bench.ts';
import { inTurn, medianSeconds, peakBytesOf, type Run, ratioOf, run, runScript } from './measure.ts';
import { atMost, inSeconds, megabytes, type Row, row } from './row.ts';
import { fillWithLargeFiles, fillWithSmallFiles } from './trees.ts';

const rounds = 7;
/** Of both trees, and of whichever is larger. */
const flatBytes = 160e6;
const most = 1.25;

/** Ours, compiled, against `tar | zstd -3` with the same care (owners, xattrs, synced), and the guide's `cp -a`. */
export const measureBackup: Point = async (tell) => {
  using folder = new TempFolder();
  const program = folder.at('archive');
  await run(
    [
      process.execPath,
      'build',
      '--compile',
      '--minify',
      '--bytecode',
      '--format=esm',
      '--splitting',
      join(import.meta.dir, 'programs/archive-folder.ts'),
      '--outfile',
      program,
    ],
    { cwd: project.root },
  );
  const rows: Row[] = [];
  for (const [what, fill] of [
    ['100,000 small files', (tree: string) => fillWithSmallFiles(tree, 100_000)],
    ['2 GB in 8 files', (tree: string) => fillWithLargeFiles(tree, 8, 250)],
  ] as const) {
    tell(`making ${what}`);
    const tree = folder.at('tree');
    fill(tree);
    rows.push(...(await measureTree(what, tree, folder, program, tell)));
    rmSync(tree, { recursive: true });
  }
  return rows;
};

async function measureTree(
  what: string,
  tree: string,
  folder: TempFolder,
  program: string,
  tell: (line: string) => void,
): Promise<Row[]> {
  const [ours, theirs, copy] = [folder.at('ours.tar.zst'), folder.at('theirs.tar.zst'), folder.at('copy')];
  const fresh = async (work: () => Promise<Run>, ...paths: string[]): Promise<Run> => {
    for (const path of paths) rmSync(path, { recursive: true, force: true });
    return await work();
  };
  tell(`backing up, ${rounds} rounds`);
  const saved = await inTurn(rounds, {
    ours: () => fresh(() => run([program, 'pack', tree, ours]), ours, `${ours}.sha256`),
    tar: () =>
      fresh(
        () =>
          runScript(
            'tar -C "$1" --xattrs --acls -cf - . | zstd -q -3 -o "$2" && sha256sum "$2" >"$2.sha256" && sync "$2"',
            {
              words: [tree, theirs],
            },
          ),
        theirs,
      ),
    copy: () => fresh(() => runScript('cp -a "$1" "$2"', { words: [tree, copy] }), copy),
  });
  rmSync(copy, { recursive: true });
  tell(`restoring, ${rounds} rounds`);
  const restored = await inTurn(rounds, {
    ours: () => fresh(() => run([program, 'unpack', ours, copy]), copy),
    tar: () =>
      fresh(
        () =>
          runScript(
            'mkdir "$2" && zstd -q -dc "$1" | tar -C "$2" --xattrs --acls --same-owner -xpf - && sync -f "$2"',
            {
              words: [theirs, copy],
            },
          ),
        copy,
      ),
  });
  const backUp = ratioOf(saved.ours, saved.tar);
  const restore = ratioOf(restored.ours, restored.tar);
  rmSync(ours);
  rmSync(`${ours}.sha256`);
  const peak = await peakBytesOf([program, 'pack', tree, ours]);
  return [
    row({
      what: `backup of ${what}`,
      ours: `${inSeconds(medianSeconds(saved.ours))}, ${megabytes(statSync(ours).size)}`,
      against: `tar | zstd -3 ${inSeconds(medianSeconds(saved.tar))}, ${megabytes(statSync(theirs).size)}; cp -a ${inSeconds(medianSeconds(saved.copy))}`,
      ratio: backUp,
      n: rounds,
      goal: atMost(backUp, most),
    }),
    row({
      what: `its peak memory`,
      ours: megabytes(peak),
      n: 1,
      goal: atMost(peak, flatBytes, megabytes(flatBytes)),
    }),
    row({
      what: `restore of ${what}`,
      ours: inSeconds(medianSeconds(restored.ours)),
      against: `zstd | tar ${inSeconds(medianSeconds(restored.tar))}`,
      ratio: restore,
      n: rounds,
      goal: atMost(restore, most),
    }),
  ];
}
