import { expect } from 'bun:test';
import type { Board } from './board.ts';

/** Short words for what the stories do with a board's updates. */

export const updateProgram = '/opt/homie_orchestrator/scripts/update.sh';
/** On a machine that does much else. */
export const installMs = 900_000;
const verdictMs = 900_000;
export const doneRebootNeeded = 4;
export const fullAttempts = '3';
/** The answer of an application that is well. */
export const well = 'HTTP/1.1 200 OK';

/** Brings a bundle from the shelf onto the board, as a download would. */
export async function fetchBundle(board: Board, version: string): Promise<string> {
  const path = `/data/${version}.raucb`;
  await board.run(
    `mkdir -p /run/shelf; mountpoint -q /run/shelf || mount -o ro /dev/vdb /run/shelf; cp /run/shelf/${version}.raucb ${path}; sync ${path}`,
    installMs,
  );
  return path;
}

/** Installs with the program that operators use; the board runs on in the old slot. */
export async function install(board: Board, version: string): Promise<void> {
  const { exitCode, output } = await askToInstall(board, version);
  expect({ exitCode, output }).toEqual({ exitCode: doneRebootNeeded, output });
}

export async function askToInstall(
  board: Board,
  version: string,
): Promise<{ exitCode: number; output: string }> {
  return await board.ask(
    `${updateProgram} install --reboot no ${await fetchBundle(board, version)}`,
    installMs,
  );
}

/** Begins an install, and leaves it alone as soon as the slot is being written. */
export async function beginInstall(board: Board, version: string): Promise<void> {
  const bundle = await fetchBundle(board, version);
  await board.run(`systemd-run --unit=lab-install ${updateProgram} install --reboot no ${bundle}`);
  await untilSlotIsWritten(board);
}

/** In this boot; then RAUC has taken the slot out of the boot order, and the fallback is lost. */
async function untilSlotIsWritten(board: Board): Promise<void> {
  await board.waitFor('journalctl -b -u rauc -o cat | grep -q "writing data to device"', installMs);
}

/** A whole update: installed, booted, decided upon. */
export async function update(board: Board, version: string): Promise<void> {
  await install(board, version);
  await reboot(board);
  await waitForVerdict(board);
}

/** Reboots in order, and waits for the system that comes up, whichever slot it is in. */
export async function reboot(board: Board): Promise<void> {
  await board.tell('systemctl reboot --no-block');
  await board.nextBoot();
}

const hasVerdict = "systemctl show -P ActiveState homie-post-activate.service | grep -qE '^(active|failed)$'";
const runsFirstSlot =
  'test "$(fw_printenv -n BOOT_ORDER | cut -c1)" = "$(sed -n \'s/.*rauc.slot=\\([AB]\\).*/\\1/p\' /proc/cmdline)"';

/** Until post-activate has come to its end in this boot. */
export async function waitForVerdict(board: Board): Promise<void> {
  await board.waitFor(hasVerdict, verdictMs);
}

/** The same, in whichever boot runs the slot that the next one will: a rejected trial reboots into the other slot. */
export async function waitForVerdictThatStays(board: Board): Promise<void> {
  await board.waitFor(`${hasVerdict} && ${runsFirstSlot}`, verdictMs);
}

export async function bootedSlot(board: Board): Promise<string> {
  return await board.run("sed -n 's/.*rauc.slot=\\([AB]\\).*/\\1/p' /proc/cmdline");
}

export interface BootEnvironment {
  order: string;
  leftOfA: string;
  leftOfB: string;
}

/** As the next boot will find it. */
export async function bootEnvironment(board: Board): Promise<BootEnvironment> {
  const variable = (name: string) => board.run(`fw_printenv -n ${name}`);
  return {
    order: await variable('BOOT_ORDER'),
    leftOfA: await variable('BOOT_A_LEFT'),
    leftOfB: await variable('BOOT_B_LEFT'),
  };
}

/** What the board says of itself: `update.sh status --json`, the part that stories look at. */
export interface Told {
  version: string;
  booted: string;
  primary: string;
  state: string | undefined;
  reason: string | undefined;
}

export async function told(board: Board): Promise<Told> {
  const { version, booted, primary, transaction } = JSON.parse(
    await board.run(`${updateProgram} status --json`),
  );
  const last = transaction?.steps?.at(-1);
  return { version, booted, primary, state: last?.state, reason: last?.reason };
}

/** The answer's status line. */
export async function health(board: Board): Promise<string> {
  const ask = `bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080; printf "GET /health HTTP/1.0\\r\\n\\r\\n" >&3; head -n 1 <&3'`;
  return (await board.run(ask)).trim();
}

/** The shutdown that logind has scheduled; empty if there is none. */
export async function scheduledShutdown(board: Board): Promise<string> {
  const login = 'org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager';
  const answer = await board.run(`busctl get-property ${login} ScheduledShutdown`);
  return /^\(st\) "([^"]*)"/.exec(answer)?.[1] ?? '';
}
