import { join } from 'node:path';
import { giveToOwner } from '../shared/packaging/commands/give-to-owner.ts';
import { useHostPath } from '../shared/packaging/device/host.ts';
import { project } from '../shared/packaging/project.ts';
import { print } from '../shared/system/terminal/print.ts';
import { runThroughSudo } from './runner/as-root.ts';
import { findTestFiles } from './runner/kinds.ts';
import type { Plan } from './runner/lane.ts';
import { leastOf } from './runner/least.ts';
import { formatOutcome, formatProblems, isGood, outcomeOf, outcomePerFile } from './runner/outcome.ts';
import { planOf } from './runner/plan.ts';
import { Progress } from './runner/progress.ts';
import type { Desk } from './runner/run-file.ts';
import { runPlan } from './runner/run-plan.ts';
import { filesByTier } from './runner/tier-files.ts';
import { readTimes, writeTimes } from './runner/times.ts';
import { readWords, type Words } from './runner/words.ts';
import { mayMount, missingPrivileges } from './support/privileges.ts';
import { formatTested, readTested } from './support/report/commit.ts';
import { removeReport, writeReport } from './support/report/report.ts';
import { seed } from './support/seed.ts';
import { TempFolder } from './support/temp-folder.ts';
import { type Tier, tierOf } from './support/tier.ts';

/**
 * Runs tests: `bun test/run.ts RUN [NAME...]`, where RUN is a tier or a suite, as in package.json. Writes
 * `reports/tests-RUN.json`. Exit codes: 0 all passed; 1 a test failed or was skipped, or a file ran none; 2 usage
 * error; 130 stopped.
 */

const timesFile = join(project.cache, 'test-times.json');
const tell = (text: string): void => {
  print(1, text);
};

async function run(words: Words, plan: Plan): Promise<boolean> {
  const tier = tierOfRun(words);
  const tested = formatTested(readTested());
  tell(`Testing commit ${tested}, tier ${tier}, seed ${seed}\n`);
  const report = `tests-${words.names.length > 0 ? 'some' : words.run}`;
  removeReport(report);
  using memory = mayMount ? new TempFolder() : undefined;
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ending.abort(signal));
  const desk: Desk = {
    root: project.root,
    reports: project.reports,
    bun: join(project.root, 'node_modules/.bin/bun'),
    env: { ...process.env, HOMIE_TIER: tier, HOMIE_SEED: String(seed), HOMIE_COMMIT: tested },
    hasNamespaces: mayMount,
    ...(memory === undefined ? {} : { memory: memory.path }),
    isAloud: countFiles(plan) === 1,
    signal: ending.signal,
  };
  const times = readTimes(timesFile);
  const started = performance.now();
  using progress = new Progress(tell);
  const runs = await runPlan(desk, plan, progress, (file) => times[file]);
  const seconds = Math.round((performance.now() - started) / 1000);
  if (ending.signal.aborted) {
    print(2, `Told to stop by ${ending.signal.reason} after ${seconds} s: nothing is proved\n`);
    process.exit(130);
  }
  writeTimes(timesFile, times, runs);
  const outcome = outcomeOf(runs);
  const least = leastOf(words);
  writeReport(report, { tier, least, ...outcome, seconds, files: outcomePerFile(runs) });
  tell(
    `\n${formatProblems(runs)
      .map((line) => `${line}\n`)
      .join('')}`,
  );
  if (outcome.skipped > 0) tell(await reasonOfSkips(words));
  if (outcome.passed < least) tell(`Only ${outcome.passed} tests passed, at least ${least} were expected\n`);
  tell(`In ${seconds} s, of commit ${tested}:\n${formatOutcome(outcome)}\n`);
  return isGood(outcome, { maySkip: process.env['HOMIE_MAY_SKIP'] === '1', least });
}

/** A name given with -t passes over the other tests of its file: that is no lack of this machine. */
async function reasonOfSkips({ flags }: Words): Promise<string> {
  const missing = await missingPrivileges();
  if (missing.length > 0) return `Skipped for want of ${missing.join(', ')}\n`;
  return flags.length > 0 ? '' : 'Skipped though this machine lacks no privilege\n';
}

function countFiles({ beside, stages }: Plan): number {
  return [...beside, ...stages.flat()].reduce((sum, { files, times }) => sum + files.length * times, 0);
}

/** Of a suite that is run by hand: what CI would take of it, or what `HOMIE_TIER` says. */
function tierOfRun({ run }: Words): Tier {
  if (run === 'quick' || run === 'all' || run === 'deep') return run;
  return tierOf(process.env['HOMIE_TIER'] ?? (run === 'repeat' ? 'quick' : 'all'));
}

function planned(given: readonly string[]): { words: Words; plan: Plan } {
  try {
    const words = readWords(given);
    const all = findTestFiles(project.root);
    return { words, plan: planOf(words, { all, byTier: filesByTier(project.root, all) }) };
  } catch (error) {
    print(2, `Cannot test: ${error instanceof Error ? error.message : error}\n`);
    return process.exit(2);
  }
}

useHostPath();
const { words, plan } = planned(process.argv.slice(2));
const exitCode = runThroughSudo() ?? ((await run(words, plan)) ? 0 : 1);
await giveToOwner(project.root, [project.cache, project.dist, project.reports]);
process.exitCode = exitCode;
