import type { Log } from '../../system/terminal/log.ts';
import type { Board, BoardPartition } from '../board/board.ts';
import type { RootfsFacts } from './rootfs-facts.ts';

export interface DiskImageOptions {
  board: Board;
  partitions: readonly BoardPartition[];
  rootfs: string;
  facts: RootfsFacts;
  /** Writes the board's boot.scr to the path. */
  makeBootScript: (path: string) => Promise<void>;
  time: Date;
  output: string;
  log: Log;
  signal?: AbortSignal | undefined;
}
