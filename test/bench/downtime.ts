import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { project } from '../../shared/packaging/project.ts';
import type { LabReport } from '../lab/report.ts';
import type { Point } from './bench.ts';
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

/** None unless both updates were watched. The report keeps the last of each: n is 1. */
export function downtimeRows({ goodUpdate, guideUpdate }: Partial<LabReport>): Row[] {
  if (goodUpdate === undefined || guideUpdate === undefined) return [];
  const ratio = goodUpdate.downSeconds / guideUpdate.downSeconds;
  return [
    row({
      what: '/health without an answer, in a good update',
      ours: `${inSeconds(goodUpdate.downSeconds)} in ${goodUpdate.gaps} gaps`,
      against: `in the way of the guide ${inSeconds(guideUpdate.downSeconds)} in ${guideUpdate.gaps}`,
      ratio,
      n: 1,
      goal: atMost(ratio, 0.2),
      note: 'on the emulated board; reports/lab.json has the rest of both updates',
    }),
  ];
}
