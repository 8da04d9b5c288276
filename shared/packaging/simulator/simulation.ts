import { join } from 'node:path';
import { parseStatus, type Slots } from '../../rauc/status.ts';
import { Failure } from '../../system/failure.ts';
import type { CommandResult } from '../../system/process/command.ts';
import { columns } from '../../system/terminal/columns.ts';
import type { EmbeddedDevice } from '../device/running-device.ts';
import { addOrchestrator } from './orchestrator.ts';
import { readTrace } from './trace.ts';

/** A whole update on the embedded device, from `rauc install` to the verdict, reported line by line. */

type Tell = (text: string) => void;

export interface Simulation {
  device: EmbeddedDevice;
  bundle: string;
  traceFile: string;
  tell: Tell;
}

const installDeadlineMs = 5 * 60_000;

/** Adds the orchestrator to the device and starts it. Returns its health URL. */
export async function startOrchestrator(device: EmbeddedDevice): Promise<string> {
  const { healthUrl } = addOrchestrator(device);
  await mustRun(device, 'systemctl', ['start', 'homie-orchestrator']);
  return healthUrl;
}

export async function installOnDevice({ device, bundle, traceFile, tell }: Simulation): Promise<void> {
  tell(`Before the install, slot ${device.booted} runs:`);
  await tellSlots(device, tell);

  const how = process.arch === 'arm64' ? '' : ', emulated as a Cortex-A57';
  tell(`\nrauc install runs our programs, for arm64${how}:`);
  const result = await device.rauc(['install', bundle], { deadlineMs: installDeadlineMs });
  tellPrograms(traceFile, 0, tell);
  if (result.exitCode !== 0) {
    const reason = /^LastError: (.*)$/m.exec(result.stdout + result.stderr)?.[1] ?? result.stderr.trim();
    throw new Failure(`Cannot install on the embedded device: ${reason}`);
  }
  tell('\nAfter the install:');
  await tellSlots(device, tell);
}

/** Boots the slot that the boot script chooses, and runs post-activate as its unit does. */
export async function bootAndDecide({ device, traceFile, tell }: Simulation): Promise<void> {
  const { booted } = await device.reboot();
  tell(`\nReboot: slot ${booted} comes up, and post-activate decides:`);
  const already = readTrace(traceFile).length;
  const program = join(device.rootFolder, 'usr/lib/homie/update-hooks/post-activate');
  const result = await device.run(program, []);
  tellPrograms(traceFile, already, tell);
  if (result.exitCode !== 0) {
    throw new Failure(`Cannot commit on the embedded device: post-activate ended with ${result.exitCode}`);
  }
  tell('\nIn the end:');
  await tellSlots(device, tell);
}

async function tellSlots(device: EmbeddedDevice, tell: Tell): Promise<void> {
  const { stdout } = await mustRun(device, 'rauc', ['status', '--detailed', '--output-format=json']);
  const environment = await device.bootEnvironment();
  tell(indented(slotTable(parseStatus(stdout), environment)));
  tell(`  BOOT_ORDER="${environment['BOOT_ORDER'] ?? ''}"`);
}

function slotTable(slots: Slots, environment: Readonly<Record<string, string>>): string {
  const rows = slots.all.map((slot) => [
    slot.name,
    slot.bootname ?? '',
    slot.version ?? 'factory',
    slot.bootStatus ?? '',
    `${environment[`BOOT_${slot.bootname}_LEFT`] ?? '?'} attempts`,
    slot.isBooted ? 'booted' : '',
  ]);
  return columns(rows);
}

function tellPrograms(traceFile: string, from: number, tell: Tell): void {
  const rows = readTrace(traceFile)
    .slice(from)
    .map(({ program, exitCode, ms, lastLine }) => [
      program,
      `${(ms / 1000).toFixed(1)} s`,
      exitCode === 0 ? 'done' : `exit ${exitCode}`,
      lastLine,
    ]);
  tell(indented(columns(rows)));
}

async function mustRun(
  device: EmbeddedDevice,
  program: string,
  args: readonly string[],
): Promise<CommandResult> {
  const result = await device.run(program, args);
  if (result.exitCode === 0) return result;
  throw new Failure(`Cannot run "${program}" on the embedded device: it ended with ${result.exitCode}`, {
    cause: result.stderr.trim(),
  });
}

function indented(text: string): string {
  return text.replace(/^/gm, '  ');
}
