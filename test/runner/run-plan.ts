import { endsWithUs } from '../support/ends-with-us.ts';
import type { Lane, Plan } from './lane.ts';
import { isWell } from './outcome.ts';
import { type Desk, type FileRun, runFile } from './run-file.ts';

export interface Listener {
  begins(file: string): void;
  /** Of files that are repeated, those that failed and the last one. */
  ends(run: FileRun): void;
}

/** Runs all of it; `secondsOf` is how long a file took before, if that is known. */
export async function runPlan(
  desk: Desk,
  plan: Plan,
  listener: Listener,
  secondsOf: (file: string) => number | undefined = () => undefined,
): Promise<FileRun[]> {
  const runs: FileRun[] = [];
  const runLane = async (lane: Lane): Promise<void> => {
    using load = startLoad(lane);
    const files = longestFirst(lane.files, secondsOf)[Symbol.iterator]();
    const worker = async (): Promise<void> => {
      for (const file of files)
        for (let turn = 1; turn <= lane.times; turn += 1) {
          if (desk.signal.aborted) return;
          listener.begins(file);
          const run = await runFile(desk, lane, file, turn);
          if (desk.signal.aborted) return;
          runs.push(run);
          if (turn === lane.times || !isWell(run)) listener.ends(run);
        }
    };
    await Promise.all(Array.from({ length: lane.atOnce }, worker));
    load.check();
  };
  const beside = Promise.all(plan.beside.map(runLane));
  for (const stage of plan.stages) await Promise.all(stage.map(runLane));
  await beside;
  return runs;
}

/** So that none of them is left alone at the end. Of files that never ran, those of the rooms that take longest come first. */
export function longestFirst(
  files: readonly string[],
  secondsOf: (file: string) => number | undefined,
): string[] {
  const weight = (file: string): number =>
    secondsOf(file) ?? (/^test\/(rig|hooks|model|compiled)\//.test(file) ? 1000 : 10);
  return [...files].sort((one, other) => weight(other) - weight(one));
}

/** Keeps the machine busy; `check` throws where it did not, for then nothing was proved. */
function startLoad({ load }: Lane): Disposable & { check(): void } {
  if (load.length === 0) return { check() {}, [Symbol.dispose]() {} };
  const child = Bun.spawn([...endsWithUs, ...load], { stdio: ['ignore', 'inherit', 'inherit'] });
  return {
    check() {
      if (child.exitCode !== null) throw new Error(`"${load.join(' ')}" ended with ${child.exitCode}`);
    },
    [Symbol.dispose]() {
      child.kill('SIGTERM');
    },
  };
}
