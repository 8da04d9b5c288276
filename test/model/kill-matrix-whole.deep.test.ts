import { afterAll, beforeAll, describe, test } from 'bun:test';
import { isRoot } from '../support/privileges.ts';
import { removeReport, writeReport } from '../support/report/report.ts';
import { ModelPrograms } from './board/programs.ts';
import { flows } from './flows.ts';
import { wholeRest } from './futures.ts';
import { Stage } from './matrix.ts';
import { MatrixReport } from './matrix-report.ts';
import { proveFlow } from './prove-flow.ts';

/**
 * The kill matrix with nothing left out: all flows, and one boot more after each board that has come to rest, where
 * `npm test` takes one for each way to rest. Written down in `reports/kill-matrix-whole.json`.
 */

const flowMs = 1_200_000;
const report = new MatrixReport();
const programs = new ModelPrograms();
beforeAll(() => removeReport('kill-matrix-whole'));
afterAll(() => {
  programs[Symbol.dispose]();
  writeReport('kill-matrix-whole', { format: 2, least: { flows: flows.length }, ...report.toJSON() });
});

describe.skipIf(!isRoot)(
  'power that fails at any step leaves one of two good ends, which the next boot does not change',
  () => {
    test.concurrent.each(flows)(
      'in $name',
      async (flow) => {
        await using stage = await Stage.open(programs.folder, flow);
        report.add((await proveFlow(stage, flow, wholeRest)).told);
      },
      flowMs,
    );
  },
);
