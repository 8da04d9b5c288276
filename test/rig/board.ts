import { expect } from 'bun:test';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EmbeddedDevice } from '../../shared/packaging/device/running-device.ts';
import { addOrchestrator } from '../../shared/packaging/simulator/orchestrator.ts';
import { parseTransaction, type Transaction } from '../../shared/update/transaction/transaction.ts';

/** Short words for what scenarios do with an embedded device. */

const installDeadlineMs = 120_000;

export interface Installed {
  exitCode: number;
  /** RAUC's own reason, empty where there is none. */
  lastError: string;
}

export async function install(device: EmbeddedDevice, bundle: string): Promise<Installed> {
  const { exitCode, stdout, stderr } = await device.rauc(['install', bundle], {
    deadlineMs: installDeadlineMs,
  });
  return { exitCode, lastError: /^LastError: (.*)$/m.exec(`${stdout}\n${stderr}`)?.[1] ?? '' };
}

/** The config of the guide, a service that answers /health, and it runs. */
export async function startOrchestrator(
  device: EmbeddedDevice,
  update: Record<string, number | boolean> = {},
): Promise<string> {
  const { healthUrl } = addOrchestrator(device);
  const file = join(device.dataFolder, 'config', 'orchestrator.yaml');
  const extra = Object.entries(update).map(([key, value]) => `  ${key}: ${value}\n`);
  writeFileSync(file, readFileSync(file, 'utf8') + extra.join(''));
  const { exitCode } = await device.run('systemctl', ['start', 'homie-orchestrator']);
  expect(exitCode).toBe(0);
  return healthUrl;
}

export async function isOrchestratorActive(device: EmbeddedDevice): Promise<boolean> {
  return (await device.run('systemctl', ['is-active', 'homie-orchestrator'])).exitCode === 0;
}

/** post-activate as the booted slot carries it, as its unit runs it. */
export async function postActivate(
  device: EmbeddedDevice,
  env: Record<string, string> = {},
  deadlineMs = installDeadlineMs,
) {
  const program = join(device.rootFolder, 'usr/lib/homie/update-hooks/post-activate');
  return device.run(program, [], { env, deadlineMs });
}

export function transactionOf(device: EmbeddedDevice): Transaction {
  return parseTransaction(
    JSON.parse(readFileSync(join(device.dataFolder, 'update', 'transaction.json'), 'utf8')),
  );
}

export function statesOf(transaction: Transaction): string[] {
  return transaction.steps.map(({ state }) => state);
}

export function logOf(device: EmbeddedDevice): string {
  return readFileSync(join(device.dataFolder, 'logs', 'update.log'), 'utf8');
}

export function writeData(device: EmbeddedDevice, path: string, text: string): void {
  const place = join(device.dataFolder, path);
  mkdirSync(join(place, '..'), { recursive: true });
  writeFileSync(place, text);
}
