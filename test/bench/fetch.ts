import { closeSync, openSync } from 'node:fs';
import { HostileServer } from '../support/servers/hostile-server.ts';
import { BadLine } from '../transfer/download/bad-line.ts';
import type { Point } from './bench.ts';
import {
  environmentOf,
  type FetchStage,
  fetchByCurl,
  fetchByUpdate,
  fetchPeak,
  openFetchStage,
  serve,
} from './fetch-stage.ts';
import { inTurn, medianSeconds, ratioOf } from './measure.ts';
import { allOf, atLeast, atMost, type Row, row } from './row.ts';

const mebibyte = 1024 * 1024;
const mebibytes = 1024;
const rounds = 7;
const kills = 50;

/** The compiled update.sh against curl, in turn; curl with and without a sync in its end. */
export const measureFetch: Point = async (tell) => {
  tell(`making ${mebibytes} MiB`);
  using stage = await openFetchStage(mebibytes);
  return [...(await onLoopback(stage)), await overKills(stage, tell)];
};

async function onLoopback(stage: FetchStage): Promise<Row[]> {
  await using server = await serve(stage.source, '127.0.0.1');
  const { url } = server;
  const runs = await inTurn(rounds, {
    ours: () => fetchByUpdate(stage, url),
    synced: () => fetchByCurl(stage, url),
    curl: () => fetchByCurl(stage, url, { isSynced: false }),
  });
  const peak = await fetchPeak(stage, url);
  const transfers = runs.ours.map((each) => ({ ...each, seconds: each.transferSeconds }));
  const throughput = 1 / ratioOf(transfers, runs.synced);
  return [
    row({
      what: `${mebibytes} MiB on loopback, on disk in the end`,
      ours: speed(medianSeconds(transfers)),
      against: `curl and sync ${speed(medianSeconds(runs.synced))}`,
      ratio: throughput,
      n: rounds,
      goal: atLeast(throughput, 0.95),
    }),
    row({
      what: 'the whole of update.sh, from its start to the reboot that it asks for',
      ours: speed(medianSeconds(runs.ours)),
      against: `curl and sync ${speed(medianSeconds(runs.synced))}`,
      ratio: 1 / ratioOf(runs.ours, runs.synced),
      n: rounds,
    }),
    row({
      what: 'the same, curl without its sync',
      ours: speed(medianSeconds(runs.ours)),
      against: `curl ${speed(medianSeconds(runs.curl))}`,
      ratio: 1 / ratioOf(runs.ours, runs.curl),
      n: rounds,
      note: 'what curl has written a power cut takes away; no goal',
    }),
    row({
      what: 'peak memory of it',
      ours: `${Math.round(peak / mebibyte)} MiB`,
      n: 1,
      goal: atMost(peak, 96 * mebibyte, '96 MiB'),
    }),
  ];
}

/** SIGKILL in the middle of pieces, and started again each time; the server counts what it hands to the kernel. */
async function overKills(stage: FetchStage, tell: (line: string) => void): Promise<Row> {
  tell(`killing it ${kills} times`);
  const descriptor = openSync(stage.source, 'r');
  const line = new BadLine({ descriptor, size: mebibytes * mebibyte, drops: 0, kills });
  await using server = await HostileServer.start((asked, socket) => line.answer(asked, socket));
  stage.scene.configure({ reserve_mib: 0, url: server.url });
  let exitCode: number | null = null;
  for (let runs = 0; exitCode === null && runs <= kills; runs += 1) {
    const child = Bun.spawn([stage.update, '--force'], {
      cwd: '/',
      env: environmentOf(stage.scene),
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'ignore',
    });
    line.client = child;
    await child.exited;
    exitCode = child.exitCode;
  }
  closeSync(descriptor);
  if (exitCode !== 4) throw new Error(`update.sh ended with ${exitCode}`);
  const most = Math.max(...line.twiceAtKills);
  return row({
    what: `fetched twice over ${line.kills} kills`,
    ours: `${inMebibytes(line.sentTwice)} in all, ${inMebibytes(most)} at most`,
    n: line.kills,
    goal: allOf(
      atMost(line.sentTwice, kills * mebibyte, `${kills} MiB in all`),
      atMost(most, mebibyte, '1 MiB each'),
    ),
  });
}

function speed(seconds: number): string {
  return `${Math.round(mebibytes / seconds)} MiB/s`;
}

function inMebibytes(bytes: number): string {
  return `${(bytes / mebibyte).toFixed(1)} MiB`;
}
