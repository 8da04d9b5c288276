import { readFileSync } from 'node:fs';
import type { Ended } from '../../support/scene/scene.ts';
import { until } from '../../support/until.ts';
import { ModelFleet } from './fleet-server.ts';
import type { ModelBoard, RunOptions, Version } from './model-board.ts';

/** The action of a fleet's server, carried out by `update.sh agent` up to where it waits, or to its end. */

/** Meanwhile the programs pause at each of their steps, on a machine that may be busy. */
const longestMs = 300_000;

export function joinFleet(board: ModelBoard): void {
  board.configure({
    fleet_url: board.shelfUrl(''),
    fleet_controller_id: 'x',
    fleet_target_token_file: board.write('data/target.token', 'token\n', 0o600),
  });
}

/** What stands for the end of the action, where the agent itself has ended as it was told to. */
const exitCodes = { success: 0, failure: 1, waits: 1, 'waits for its reboot': 4 } as const;

/** Runs the agent until it has nothing to do any more, and tells it to end. */
export async function carryOutAction(
  board: ModelBoard,
  { name }: Version,
  options: RunOptions,
): Promise<Ended> {
  const bundle = { url: board.shelfUrl('x.raucb'), bytes: readFileSync(board.at('x.raucb')) };
  const fleet = new ModelFleet(board.shelfUrl('DEFAULT/controller/v1/x'), name, bundle);
  board.neighbour = (request) => fleet.answer(request);
  await using agent = board.service('update.sh', ['agent'], options);
  await until(() => agent.isOver || fleet.isQuiet, longestMs);
  const ended = await agent.stop();
  return ended.exitCode === 0 ? { ...ended, exitCode: exitCodes[fleet.lastWord ?? 'failure'] } : ended;
}
