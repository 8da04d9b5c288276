import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readHistory } from '../../../shared/update/journal.ts';
import type { Transaction } from '../../../shared/update/transaction.ts';
import { isOrchestratorActive } from '../board.ts';
import { treeOf } from '../snapshot.ts';
import type { Stage } from './stage.ts';

/** How a device with the stack on it stands: two equal ones prove that nothing happened in between. */
export interface Standing {
  booted: string;
  bootEnvironment: Record<string, string>;
  /** The version that each slot holds, as far as one is written down there. */
  slots: Record<'A' | 'B', string | undefined>;
  isActive: boolean;
  /** Of every container, its image and state. */
  services: string[];
  images: string[];
  /** By table, with alembic's; undefined where the database does not answer. */
  rows: Record<string, string[]> | undefined;
  config: Record<string, string>;
  backups: string[];
  /** The transaction, the history, the hold and the kept logs of the stack. */
  update: Record<string, string>;
}

const tables = ['alembic_version', 'people', 'rooms'];

export async function standingOf(stage: Stage): Promise<Standing> {
  const { device } = stage;
  const { dataFolder } = device;
  return {
    booted: device.booted,
    bootEnvironment: await device.bootEnvironment(),
    slots: { A: await versionIn(stage, 'A'), B: await versionIn(stage, 'B') },
    isActive: await isOrchestratorActive(device),
    services: await linesOf(stage, ['ps', '--all', '--format={{.Names}} {{.Image}} {{.State}}']),
    images: await imagesOn(stage),
    rows: await rowsOn(stage),
    config: treeOf(join(dataFolder, 'config')),
    backups: readdirSync(join(dataFolder, 'backups')).sort(),
    update: updateFilesOf(dataFolder),
  };
}

export function imagesOn(stage: Stage): Promise<string[]> {
  return linesOf(stage, ['image', 'ls', '--format={{.Repository}}:{{.Tag}}']);
}

export async function rowsOn({ stack }: Stage): Promise<Record<string, string[]> | undefined> {
  try {
    const rows: Record<string, string[]> = {};
    for (const table of tables) rows[table] = await stack.sql(`SELECT * FROM ${table} ORDER BY 1`);
    return rows;
  } catch {
    return undefined;
  }
}

export function historyOf({ device }: Stage): Transaction[] {
  return readHistory({ data: device.dataFolder, root: '', run: '' });
}

async function versionIn({ device }: Stage, bootname: 'A' | 'B'): Promise<string | undefined> {
  return await device.withSlotMounted(bootname, (slot) => {
    const file = join(slot, 'usr/lib/homie/release');
    return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
  });
}

async function linesOf({ engine }: Stage, words: readonly string[]): Promise<string[]> {
  const { stdout } = await engine.docker(words);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .sort();
}

/** All but the lock, which names who held it last. */
function updateFilesOf(dataFolder: string): Record<string, string> {
  const folder = join(dataFolder, 'update');
  if (!existsSync(folder)) return {};
  return Object.fromEntries(Object.entries(treeOf(folder)).filter(([path]) => !/lock/.test(path)));
}
