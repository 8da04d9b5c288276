import type { Point } from './bench.ts';
import { openInstallStage } from './install-stage.ts';
import { roundsFor } from './install-times.ts';
import { inTurn, median, medianSeconds, ratioOf } from './measure.ts';
import { atMost, inSeconds, row } from './row.ts';

const most = 1.05;

/**
 * The unmodified RAUC on an embedded A/B device, which writes the same gigabyte in each install. The programs are
 * compiled for this machine: an emulated processor would be what is measured.
 */
export const measureInstall: Point = async (tell) => {
  await using stage = await openInstallStage(tell);
  const contestants = {
    none: () => stage.install('none', 'small'),
    bare: () => stage.install('ours', 'small'),
    ours: () => stage.install('ours', 'large'),
    guide: () => stage.install('guide', 'large'),
  };
  // Not counted: what is read for the first time.
  const first = await inTurn(1, contestants);
  const rounds = roundsFor(Math.max(...Object.values(first).map(medianSeconds)));
  tell(`${rounds} rounds`);
  const { none, bare, ours, guide } = await inTurn(rounds, contestants);
  const ratio = ratioOf(bare, none);
  const backupSeconds = median(ours.map(({ hooks }) => hooks.backupSeconds));
  return [
    row({
      what: 'rauc install with our hooks, nothing much to back up',
      ours: inSeconds(medianSeconds(bare)),
      against: `with no hooks ${inSeconds(medianSeconds(none))}`,
      ratio,
      n: rounds,
      goal: atMost(ratio, most),
      note: 'a root file system of 1000 MiB, packed with lz4, onto a loop device; the programs are compiled for this machine (x64), not emulated',
    }),
    row({
      what: 'what the programs say they took of it',
      ours: inSeconds(median(bare.map(({ hooks }) => hooks.programSeconds))),
      ratio: median(bare.map(({ hooks, seconds }) => hooks.programSeconds / seconds)),
      n: rounds,
      note: 'the ratio is to that install; the rest of the difference is RAUC’s, whose bundle is larger by the programs',
    }),
    row({
      what: 'rauc install with a backup of 500 MB of configuration',
      ours: `${inSeconds(medianSeconds(ours))}, ${inSeconds(backupSeconds)} of it the backup`,
      against: `with the guide’s shell scripts ${inSeconds(medianSeconds(guide))}`,
      ratio: ratioOf(ours, guide),
      n: rounds,
      note: 'a database of 200 MB lies beside it: it is dumped in the trial, not in the install. The guide copies with cp -r, and does not wait until that is on disk',
    }),
  ];
};
