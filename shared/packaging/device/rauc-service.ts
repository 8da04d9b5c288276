import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { Deadline, pause } from '../../system/deadline.ts';
import { Failure } from '../../system/failure.ts';
import type { Bootname } from './boot-choice.ts';
import { type Environment, runBooted } from './booted-system.ts';
import { requireTool } from './host.ts';

const startMs = 30_000;

/** Starts a private D-Bus for this device, so that the host's own RAUC is never called. Returns when the bus is ready. */
export async function startBus(
  folder: string,
  environment: Environment,
  signal: AbortSignal | undefined,
): Promise<Bun.Subprocess> {
  const config = `${folder}/bus.conf`;
  writeFileSync(config, busConf(environment['DBUS_SESSION_BUS_ADDRESS'] ?? ''));
  const log = `${folder}/bus.log`;
  const bus = startInBackground(
    [
      requireTool('dbus-daemon', 'dbus-daemon'),
      `--config-file=${config}`,
      '--nofork',
      '--nopidfile',
      '--print-address=1',
    ],
    environment,
    log,
  );
  // The bus prints its address when it listens.
  await waitFor(bus, 'the bus', log, signal, async () => readFileSync(log, 'utf8').includes('unix:path='));
  return bus;
}

/** Starts RAUC's service; returns when it answers. The command line names the slot: this machine's kernel does not. */
export async function startRauc(
  folder: string,
  environment: Environment,
  booted: Bootname,
  signal: AbortSignal | undefined,
): Promise<void> {
  const log = `${folder}/rauc.log`;
  const rauc = requireTool('rauc', 'rauc');
  const service = startInBackground(
    [
      rauc,
      `--conf=${folder}/system.conf`,
      `--mount=${folder}/mnt`,
      'service',
      `--override-boot-slot=${booted}`,
    ],
    environment,
    log,
  );
  await waitFor(service, 'RAUC', log, signal, async () => {
    const { exitCode } = await runBooted(environment, rauc, ['status'], { signal, deadlineMs: startMs });
    return exitCode === 0;
  });
}

/** In its own session: Ctrl-C on our terminal must not reach the child, because we end our children in our own order. */
function startInBackground(cmd: string[], environment: Environment, log: string): Bun.Subprocess {
  const descriptor = openSync(log, 'a');
  try {
    const child = Bun.spawn({
      cmd,
      cwd: '/',
      env: environment,
      detached: true,
      stdin: 'ignore',
      stdout: descriptor,
      stderr: descriptor,
    });
    child.unref();
    return child;
  } finally {
    closeSync(descriptor);
  }
}

/** Returns when the child answers. A child that does not answer is killed before this throws. */
async function waitFor(
  child: Bun.Subprocess,
  what: string,
  log: string,
  signal: AbortSignal | undefined,
  answers: () => Promise<boolean>,
): Promise<void> {
  const deadline = new Deadline(startMs);
  try {
    while (!(await answers())) {
      if (hasEnded(child) || deadline.isOver) throw notStarted(child, what, log);
      await pause(10, signal);
    }
  } catch (error) {
    child.kill('SIGKILL');
    await child.exited;
    throw error;
  }
}

function notStarted(child: Bun.Subprocess, what: string, log: string): Failure {
  const last = readFileSync(log, 'utf8').trim().split('\n').at(-1) ?? '';
  const reason = hasEnded(child)
    ? `it ended with ${child.exitCode ?? child.signalCode}`
    : 'it does not answer';
  return new Failure(`Cannot start ${what}: ${reason}${last === '' ? '' : ` (${last})`}`);
}

function hasEnded(child: Bun.Subprocess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function busConf(address: string): string {
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>${address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`;
}
