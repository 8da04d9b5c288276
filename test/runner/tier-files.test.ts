import { expect, test } from 'bun:test';
import { TempFolder } from '../support/temp-folder.ts';
import { filesByTier } from './tier-files.ts';

test('filesByTier() finds files that use the tier, directly or indirectly, but not those that only report it', () => {
  using folder = new TempFolder();
  folder.write('test/support/tier.ts', 'export const tier = 1;');
  folder.write(
    'test/support/report/report.ts',
    "import { tier } from './tier.ts';\nexport const report = tier;",
  );
  folder.write('test/rig/round.ts', "import { deep } from './deep.ts';\nexport const round = () => deep;");
  folder.write(
    'test/rig/deep.ts',
    "import type { round } from './round.ts';\nexport { tier as deep } from '../support/tier.ts';",
  );
  folder.write('test/rig/a.test.ts', "import { round } from './round.ts';\nround();");
  folder.write('test/rig/b.test.ts', "import { report } from '../support/report/report.ts';\nreport;");
  folder.write('test/rig/c.test.ts', "import { expect } from 'bun:test';\nexpect;");
  const files = ['a', 'b', 'c'].map((name) => `test/rig/${name}.test.ts`);
  expect([...filesByTier(folder.path, files)]).toEqual(['test/rig/a.test.ts']);
});
