import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { project } from '../../shared/packaging/project.ts';
import type { Downtime } from '../lab/board/health-watch.ts';
import type { GoodUpdate, LabReport } from '../lab/report.ts';
import type { Point } from './bench.ts';
import { median } from './measure.ts';
import { atMost, inSeconds, type Row, row } from './row.ts';

/** Measured where whole updates are watched, on the emulated board: this only reads what that has written. */
export const readDowntime: Point = async (tell) => {
  const file = join(project.reports, 'lab.json');
  const report: Partial<LabReport> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const rows = downtimeRows(report);
  if (rows.length === 0)
    tell(
      'reports/lab.json lacks an update: npm run test:lab -- good-update guide.lab writes them; the point is left out',
    );
  return rows;
};

/** None unless both updates were watched on the same images; as many as were in either way. */
export function downtimeRows({ goodUpdates = [], guideUpdates = [] }: Partial<LabReport>): Row[] {
  const [good] = goodUpdates;
  const [guide] = guideUpdates;
  if (good === undefined || guide === undefined || good.images !== guide.images) return [];
  const [ours, theirs] = [medianOf(goodUpdates), medianOf(guideUpdates)];
  const ratio = ours.downSeconds / theirs.downSeconds;
  return [
    row({
      what: '/health without an answer, in a good update',
      ours: `${inSeconds(ours.downSeconds)} in ${ours.gaps} gaps`,
      against: `in the way of the guide ${inSeconds(theirs.downSeconds)} in ${theirs.gaps}`,
      ratio,
      n: Math.min(goodUpdates.length, guideUpdates.length),
      goal: atMost(ratio, 0.2),
      note: 'on the emulated board; reports/lab.json has the rest of each update',
    }),
  ];
}

function medianOf(updates: readonly GoodUpdate[]): Downtime {
  return {
    downSeconds: median(updates.map(({ downSeconds }) => downSeconds)),
    gaps: median(updates.map(({ gaps }) => gaps)),
  };
}
