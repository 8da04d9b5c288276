import { join } from 'node:path';
import { command } from '../../shared/system/process/command.ts';
import { endsWithUs } from '../support/ends-with-us.ts';
import type { Point } from './bench.ts';
import { fetchByCurl, fetchByUpdate, openFetchStage, serve } from './fetch-stage.ts';
import { inTurn, medianSeconds, ratioOf } from './measure.ts';
import { atLeast, type Row, row } from './row.ts';

/** As much as takes half a minute at best; after each loss reno is slow for long. */
const mebibytesBy: Readonly<Record<string, number>> = { cubic: 16, bbr: 32, reno: 4 };
const rounds = 7;
const lineProgram = join(import.meta.dir, 'programs/lossy-line.ts');
const [server, client] = ['homie-server', 'homie-client'];
const [serverDevice, clientDevice] = ['homie-far', 'homie-near'];
const [serverAddress, clientAddress] = ['10.211.0.1', '10.211.0.2'];

/** Two network namespaces and a line between them, by TCP's ways of keeping to a line that this kernel has. */
export const measureLine: Point = async (tell) => {
  await using _ = await layLine();
  const inClient = ['ip', 'netns', 'exec', client];
  const rows: Row[] = [];
  for (const [control, mebibytes] of Object.entries(mebibytesBy)) {
    if (!(await mayUse(control))) continue;
    using stage = await openFetchStage(mebibytes);
    await using served = await serve(stage.source, serverAddress, ['ip', 'netns', 'exec', server]);
    tell(`${control}: ${rounds} rounds of ${mebibytes} MiB`);
    const runs = await inTurn(rounds, {
      ours: () => fetchByUpdate(stage, served.url, inClient),
      curl: () => fetchByCurl(stage, served.url, { within: inClient }),
    });
    const ratio = 1 / ratioOf(runs.ours, runs.curl);
    rows.push(
      row({
        what: `${mebibytes} MiB, TCP ${control}`,
        ours: speed(mebibytes, medianSeconds(runs.ours)),
        against: `curl ${speed(mebibytes, medianSeconds(runs.curl))}`,
        ratio,
        n: rounds,
        goal: atLeast(ratio, 0.98),
        note: 'the whole of update.sh; the line is a program of our own between two tun devices, as this kernel may have no netem',
      }),
    );
  }
  return rows;
};

const run = command({ deadlineMs: 20_000 });

/** Of the server, which sends; not all that the kernel has may be chosen in a namespace. */
async function mayUse(control: string): Promise<boolean> {
  const setting = `net.ipv4.tcp_congestion_control=${control}`;
  return await run`ip netns exec ${server} sysctl -qw ${setting}`.then(
    () => true,
    () => false,
  );
}

async function layLine(): Promise<AsyncDisposable> {
  const words = [lineProgram, clientDevice, serverDevice, '20', '40', '1'];
  const child = Bun.spawn([...endsWithUs, process.execPath, ...words], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
  });
  const remove = async (): Promise<void> => {
    child.kill('SIGKILL');
    await child.exited;
    for (const space of [server, client]) await run`ip netns del ${space}`.catch(() => {});
  };
  try {
    await child.stdout.getReader().read();
    for (const [space, device, address, peer] of [
      [server, serverDevice, serverAddress, clientAddress],
      [client, clientDevice, clientAddress, serverAddress],
    ] as const) {
      await run`ip netns add ${space}`;
      await run`ip link set ${device} netns ${space}`;
      await run`ip -n ${space} addr add ${address} peer ${peer} dev ${device}`;
      await run`ip -n ${space} link set lo up`;
      await run`ip -n ${space} link set ${device} up mtu 1500`;
    }
    return { [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

function speed(mebibytes: number, seconds: number): string {
  return `${((mebibytes * 1024 * 1024 * 8) / seconds / 1e6).toFixed(1)} Mbit/s`;
}
