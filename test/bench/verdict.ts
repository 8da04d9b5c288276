import { join } from 'node:path';
import { compiledPrograms } from '../support/build/compiled-programs.ts';
import { BootStage } from '../support/scene/boot-stage.ts';
import { transactionAt } from '../support/scene/transactions.ts';
import { sick } from '../support/servers/health-server.ts';
import type { Point } from './bench.ts';
import { median } from './measure.ts';
import { atMost, inSeconds, row } from './row.ts';

const rounds = 7;
const settleSeconds = 2;
/** What the guide waits before it asks once. */
const guideSeconds = 30;

/**
 * The compiled post-activate in a trial boot whose application takes a while: from the moment that it answers well to
 * the end of the program, the version committed. systemd and RAUC are stand-ins that answer at once.
 */
export const measureVerdict: Point = async (tell) => {
  const beyond: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const comesUpAfterMs = 1500 + 370 * round;
    beyond.push((await secondsToCommit(comesUpAfterMs)) - settleSeconds);
    tell(
      `round ${round + 1} of ${rounds}: ${inSeconds(beyond.at(-1) ?? 0)} beyond the ${settleSeconds} s to settle`,
    );
  }
  const seconds = median(beyond);
  const ours = seconds + settleSeconds;
  return [
    row({
      what: `from healthy to committed, ${settleSeconds} s to settle among it`,
      ours: inSeconds(ours),
      against: `the guide sleeps ${guideSeconds} s, healthy or not`,
      ratio: ours / guideSeconds,
      n: rounds,
      goal: atMost(Math.max(...beyond), 2, '2 s beyond settling, the longest'),
      note: `the longest took ${inSeconds(Math.max(...beyond))} beyond settling`,
    }),
  ];
};

async function secondsToCommit(comesUpAfterMs: number): Promise<number> {
  await using stage = new BootStage();
  stage.configure({ settle_seconds: settleSeconds, health_deadline_seconds: 60 });
  const programs = await compiledPrograms({ architecture: 'x64' });
  stage.leaveUpdate(transactionAt('installed'));
  stage.bootInto({ booted: 'rootfs.1' });
  const startedMs = performance.now();
  stage.health.answer = () => {
    if (performance.now() - startedMs < comesUpAfterMs) return sick();
    return new Response('ok');
  };
  const child = Bun.spawn([join(programs, 'post-activate')], {
    cwd: '/',
    env: stage.programEnv,
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
  });
  const healthyMs = startedMs + comesUpAfterMs;
  const [exitCode, stderr] = await Promise.all([child.exited, child.stderr.text()]);
  if (exitCode !== 0 || stage.states().at(-1) !== 'committed')
    throw new Error(`post-activate ended with ${exitCode}: ${stderr}`);
  return (performance.now() - healthyMs) / 1000;
}
