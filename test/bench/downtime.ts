import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { project } from '../../shared/packaging/project.ts';
import type { Point } from './bench.ts';
import { atMost, inSeconds, row } from './row.ts';

/** Measured where whole updates are watched, on the emulated board: this only reads what that has written. */
export const readDowntime: Point = async (tell) => {
  const file = join(project.reports, 'lab.json');
  const downtime = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).downtime : undefined;
  const { oursSeconds, guideSeconds, n = 1 } = downtime ?? {};
  if (typeof oursSeconds !== 'number' || typeof guideSeconds !== 'number') {
    tell('reports/lab.json has no downtime: npm run test:lab writes it; the point is left out');
    return [];
  }
  const ratio = oursSeconds / guideSeconds;
  return [
    row({
      what: '/health without an answer, in a good update',
      ours: inSeconds(oursSeconds),
      against: `in the order of the guide ${inSeconds(guideSeconds)}`,
      ratio,
      n,
      goal: atMost(ratio, 0.2),
    }),
  ];
};
