import type { Outcome } from '../shared/system/exit-code.ts';
import type { Running } from '../shared/system/process/program.ts';
import type { OptionSpec, ProgramSpec, Values } from '../shared/system/terminal/arguments.ts';

/** A program as main.ts runs it: its arguments, how long it may run, and its story. */
export interface Hook {
  spec: ProgramSpec;
  deadlineMs: number;
  story: (command: string, values: Values, running: Running) => Promise<Outcome>;
  exitCodeOf?: (outcome: Outcome) => number;
}

/** The options that replace RAUC's variables when a user calls the program. */
export const hookOptions = {
  data: { type: 'string', describe: 'The data partition, else $HOMIE_DATA, else /data', value: 'DIR' },
  bundle: { type: 'string', describe: 'The mounted bundle, else $RAUC_BUNDLE_MOUNT_POINT', value: 'DIR' },
  'slot-mount': {
    type: 'string',
    describe: 'The mounted target slot, else $RAUC_SLOT_MOUNT_POINT',
    value: 'DIR',
  },
  'dry-run': { type: 'boolean', describe: 'Only say what would be done' },
} satisfies Record<string, OptionSpec>;

/** The files that every program of an update reads and writes. */
export const hookFiles = [
  ['/data/config/orchestrator.yaml', 'the configuration, in its part "update"'],
  ['/data/update/transaction.json', 'the last update, step by step'],
  ['/data/logs/update.log', 'the log of all programs, with the time'],
] as const;
