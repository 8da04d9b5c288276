import { expect } from 'bun:test';
import { join } from 'node:path';
import type { Board } from '../board/board.ts';
import { doneRebootNeeded, updateProgram } from '../board/update.ts';
import type { LabImages } from '../images/images.ts';
import { settledBoard } from '../settled.ts';
import { lengthOf, type Part, recordPart, type Stop } from './recording.ts';

/** An update from the first byte to the verdict, once without a cut. */
export interface Cycle {
  name: 'good update' | 'rollback';
  stops: readonly Stop[];
  ms: number;
}

export const updated = { version: '1.1.0', schema: '2' };
const shelf = 'mkdir -p /run/shelf; mountpoint -q /run/shelf || mount -o ro /dev/vdb /run/shelf';
const unit = 'lab-install';

/** Fetches from the shelf as from a stick, and runs on its own: a question would be lost with the board's memory. */
const install: Part = {
  begin: async (board) => {
    await board.run(shelf);
    await board.run(
      `systemd-run --quiet --unit=${unit} ${updateProgram} install --reboot no /run/shelf/${updated.version}.raucb`,
    );
  },
  boots: 0,
  isOver: async (board) => !/^(active|activating)$/.test(await show(board, 'ActiveState', unit)),
};

const rebootAnd = (boots: number): Part => ({
  begin: (board) => board.tell('systemctl reboot --no-block'),
  boots,
  isOver: async (board) => /^(active|failed)$/.test(await show(board, 'ActiveState', 'homie-post-activate')),
});

/** The version is made unwell in its slot, its migration stays: one install serves both cycles. */
const makeUnwell = [
  'mount /dev/disk/by-partlabel/rootfs-b /mnt',
  'echo unwell >/mnt/usr/lib/homie-lab/mood',
  'umount /mnt',
  // A shorter wait for a good answer that does not come.
  'sed -i "s/health_deadline_seconds: .*/health_deadline_seconds: 15/" /data/config/orchestrator.yaml',
  'sync',
].join(' && ');

export async function recordCycles(images: LabImages, folder: string): Promise<Cycle[]> {
  await using settled = await settledBoard();
  const bootId = settled.bootId;
  const state = await settled.save(folder);
  const start = { state, console: '', bootIds: [bootId] };
  const installed = await recordPart(images, start, join(folder, 'install'), install);
  const proved: Part = {
    ...rebootAnd(1),
    begin: async (board) => {
      expect(await show(board, 'ExecMainStatus', unit)).toBe(String(doneRebootNeeded));
      await rebootAnd(1).begin(board);
    },
  };
  const sick: Part = {
    ...rebootAnd(2),
    begin: async (board) => {
      await board.run(makeUnwell);
      await rebootAnd(2).begin(board);
    },
  };
  const [good, rollback] = await Promise.all([
    recordPart(images, installed.end, join(folder, 'good'), proved),
    recordPart(images, installed.end, join(folder, 'rollback'), sick),
  ]);
  const update = [...installed.stops, ...good.stops];
  return [
    { name: 'good update', stops: update, ms: lengthOf(update) },
    { name: 'rollback', stops: rollback.stops, ms: lengthOf(rollback.stops) },
  ];
}

async function show(board: Board, property: string, name: string): Promise<string> {
  return await board.run(`systemctl show -P ${property} ${name}.service`);
}
