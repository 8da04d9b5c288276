import { readJob, startingSeconds, writeJob } from '../../../shared/api/job.ts';
import type { Ended } from '../../support/scene/scene.ts';
import { api } from '../../support/servers/api-stage.ts';
import { until } from '../../support/until.ts';
import type { ModelBoard, RunOptions } from './model-board.ts';
import type { ModelService } from './model-service.ts';

/** An install that `update.sh serve` is asked for: the server, and the job that systemd starts for it. */

/** Meanwhile the programs pause at each of their steps, on a machine that may be busy. */
const longestMs = 300_000;
const bundle = 'x.raucb';

export function letServe(board: ModelBoard): void {
  board.configure({
    api_listen: '127.0.0.1:0',
    api_token_file: board.at('data/update/api.token'),
    bundle_folder: board.path,
  });
  for (const [name, body] of Object.entries({ 'systemd-run': systemdRun, 'run-job': runJob }))
    board.write(`bin/${name}`, `#!/bin/sh\ncd '${board.path}'\n${body}`, 0o755);
}

/**
 * Starts the server, asks for the install, and tells the server to end once the job has. Answers with the job's exit
 * code; with the server's, where that has not ended well, or before there was a job.
 */
export async function installByServer(board: ModelBoard, options: RunOptions): Promise<Ended> {
  for (const name of ['job-begun', 'job-exit', 'job-pid']) board.remove(`run/${name}`);
  letTimePass(board);
  await using server = board.service('update.sh', ['serve'], options);
  try {
    await until(() => server.isOver || server.said.includes('Listening on'), longestMs);
    if (!server.isOver) await askToInstall(board, server);
    if (board.has('run/job-begun')) await until(() => board.has('run/job-exit'), longestMs);
  } finally {
    endJob(board);
  }
  const ended = await server.stop();
  if (ended.exitCode !== 0 || !board.has('run/job-exit')) return ended;
  return { ...ended, exitCode: Number(board.read('run/job-exit')) };
}

/** Answered with 202 by a server that lives. */
async function askToInstall(board: ModelBoard, server: ModelService): Promise<void> {
  const url = /Listening on "([^"]+)\/"/.exec(server.said)?.[1] ?? '';
  let answer: Response;
  try {
    answer = await fetch(`${url}${api}/install`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${board.read('data/update/api.token').trim()}`,
        'Content-Type': 'application/json',
      },
      body: JSON.stringify({ path: bundle }),
    });
  } catch {
    // A fault has ended it: nothing else breaks the line.
    await until(() => server.isOver);
    return;
  }
  if (answer.status !== 202) throw new Error(`it does not begin: ${await answer.text()}`);
}

/** Who asks again has waited until the job that was killed is known as lost. */
function letTimePass({ places }: ModelBoard): void {
  const job = readJob(places);
  if (job !== undefined) writeJob(places, { ...job, startedUptimeSeconds: -startingSeconds });
}

/** When the test has timed out. */
function endJob(board: ModelBoard): void {
  if (board.has('run/job-exit') || !board.has('run/job-pid')) return;
  try {
    process.kill(-Number(board.read('run/job-pid')), 'SIGKILL');
  } catch {
    // It has ended just now.
  }
}

/** systemd: the server's job begins in an environment of its own, any other unit is only noted. */
const systemdRun = `case "$*" in *--unit=homie-install-*) ;; *) echo "systemd-run $*" >> calls; exit ;; esac
variables=
while [ "$1" != -- ]; do
  case $1 in --setenv=*) variables="$variables \${1#--setenv=}" ;; esac
  shift
done
shift
: > run/job-begun
setsid --fork env -i PATH="$PATH" HOMIE_CLOCK=paused HOMIE_FAULT="$HOMIE_FAULT" \
  HOMIE_STEPS="$HOMIE_STEPS" HOMIE_STOPS="$HOMIE_STOPS" $variables run-job "$@" < /dev/null > /dev/null 2>&1
`;

/**
 * The unit of the job. A board must not change while it is copied: where the steps stop, the job begins when the server has
 * passed its last one.
 */
const runJob = `echo $$ > run/job-pid
if [ "$HOMIE_STOPS" = 1 ]; then
  while [ -e "$HOMIE_STEPS" ] && ! grep -q ' after run systemd-run' "$HOMIE_STEPS"; do sleep 0.02; done
  echo "$$ within systemd, before the job" >> "$HOMIE_STEPS"
  kill -STOP $$
fi
"$@"
echo $? > run/job-exit.new
mv run/job-exit.new run/job-exit
`;
