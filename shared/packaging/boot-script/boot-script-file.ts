import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { command } from '../../system/process/command.ts';
import type { Board } from '../board/board.ts';
import { epochSeconds } from '../bundle/manifest.ts';
import { renderBootScript } from './boot-script.ts';

const toolMs = 30_000;

/** Writes the board's `boot.scr`, for the first partition; the same bytes for the same board and time. */
export async function makeBootScript(board: Board, time: Date, output: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'homie-boot-'));
  try {
    const source = join(folder, 'boot.cmd');
    writeFileSync(source, renderBootScript(board));
    const env = { SOURCE_DATE_EPOCH: String(epochSeconds(time)) };
    const title = `Homie boot script`;
    await command({
      deadlineMs: toolMs,
      env,
    })`mkimage -q -A arm64 -O linux -T script -C none -n ${title} -d ${source} ${output}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
