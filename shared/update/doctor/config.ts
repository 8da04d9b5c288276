import type { ConfigProblem } from '../../config/config-problem.ts';
import { bad, type Check, type Judgement, ok, warn } from './check-result.ts';

/** The strict reader of orchestrator.yaml: other programs only warn, and continue with the defaults. */
export const config: Check = {
  name: 'config',
  async run({ config: { problems } }) {
    return judgeConfig(problems);
  },
};

/** An unknown key is misspelt, or of another version: the update that knows it may have been rolled back. */
export function judgeConfig(problems: readonly ConfigProblem[]): Judgement {
  if (problems.length === 0) return ok('every key of orchestrator.yaml is known, with a value that fits');
  const what = `cannot use ${problems.map((problem) => problem.what).join('; ')}`;
  return problems.some(({ kind }) => kind === 'wrong-value')
    ? bad(what, 'Correct it; until then the default is used, and with some keys nothing is installed')
    : warn(what, 'Correct it, or leave it for the version that knows it');
}
