import type { TempFolder } from '../../support/temp-folder.ts';
import { Board } from '../board/board.ts';
import { dataIn, inWords } from '../board/data.ts';
import { doneRebootNeeded, reboot, updateProgram } from '../board/update.ts';
import type { LabImages } from '../images/images.ts';
import type { LabCut } from '../report.ts';
import { type Cycle, updated } from './cycles.ts';
import { factsOf, judgeEnd, outcomeOf, placeOf, stateOf } from './facts.ts';
import { replayTo } from './recording.ts';
import { recover } from './recover.ts';
import { faultsOfSlot } from './whole-slot.ts';

const next = { version: '1.5.0', schema: '2' };
const installMs = 900_000;
const settleMs = 420_000;

export interface Cutting {
  images: LabImages;
  folder: TempFolder;
  /** The root file system of each version that a board may come up with. */
  rootfs: Readonly<Record<string, string>>;
  /** States from which the next update has been proved, or is about to be. */
  proved: Set<string>;
}

/** One cut, and all that is asked of the board after it. */
export async function cutAt(
  { images, folder, rootfs, proved }: Cutting,
  cycle: Pick<Cycle, 'stops'>,
  atMs: number,
): Promise<Omit<LabCut, 'number' | 'cycle' | 'atMs'>> {
  const { stop, replayMs } = replayTo(cycle.stops, atMs);
  await using board = await Board.resume(images, stop.state);
  await Bun.sleep(replayMs);
  const bootIds = new Set([...stop.bootIds, board.bootId]);
  const said = stop.console + board.console();
  await board.cutPower();
  let fellInto = placeOf(said, '?');
  let recoverySeconds: number | undefined;
  try {
    const { facts, seconds } = await recover(board);
    recoverySeconds = seconds;
    const before = facts.transaction?.steps.filter(({ bootId }) => bootIds.has(bootId)).at(-1)?.state;
    fellInto = placeOf(said, before ?? 'none');
    let end = judgeEnd(facts, updated);
    const data = inWords(facts);
    const outcome = outcomeOf(facts);
    const isNew = !proved.has(outcome);
    proved.add(outcome);
    const nextUpdate = isNew ? await faultOfNextUpdate(board) : 'as before';
    await board.cutPower();
    const card = folder.at(`card-${crypto.randomUUID()}.qcow2`);
    await board.takeOutCard(card);
    const faults = await faultsOfSlot(images, card, facts.slot, rootfs[facts.version] ?? '');
    folder.remove(card);
    const wrong = [nextUpdate === 'as before' || nextUpdate === 'proved' ? '' : nextUpdate, faults];
    end = [end, ...wrong].filter((text) => text !== '').join('; ');
    return { fellInto, end, data, outcome, nextUpdate, recoverySeconds };
  } catch (error) {
    const end = error instanceof Error ? error.message : String(error);
    const outcome = await board.complaint();
    return { fellInto, end, data: 'unknown', outcome, nextUpdate: 'not tried', recoverySeconds };
  }
}

/** "proved", or what went wrong. */
async function faultOfNextUpdate(board: Board): Promise<string> {
  const { exitCode, output } = await board.ask(
    `mkdir -p /run/shelf; mount -o ro /dev/vdb /run/shelf; ${updateProgram} install --reboot no /run/shelf/${next.version}.raucb`,
    installMs,
  );
  if (exitCode !== doneRebootNeeded) return `the next update ended with ${exitCode}: ${output}`;
  await reboot(board);
  await board.ask('systemctl is-system-running --wait', settleMs);
  const facts = await factsOf(board);
  const is = `${facts.version} ${stateOf(facts)}, ${inWords(facts)}`;
  const should = `${next.version} committed, ${inWords(dataIn(next.schema))}`;
  return is === should ? 'proved' : `after the next update: ${is}`;
}
