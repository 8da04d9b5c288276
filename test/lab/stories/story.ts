import { test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { project } from '../../../shared/packaging/project.ts';
import type { Board } from '../board/board.ts';
import { reportStory } from '../report.ts';

/** On a machine that does much else. */
const storyMs = 60 * 60_000;

/** A test beside others whose outcome stands in `reports/lab.json`, too; of one that fails, all that the board has to say is kept. */
export function story(name: string, begin: Begin, live: Live): void {
  tell(test.concurrent, name, begin, live);
}

/** One of which it is measured how long things take: no other board is beside it. */
export function measuredStory(name: string, begin: Begin, live: Live): void {
  tell(test.serial, name, begin, live);
}

type Begin = () => Promise<Board>;
type Live = (board: Board) => Promise<void>;

function tell(asTest: typeof test.concurrent, name: string, begin: Begin, live: Live): void {
  asTest(
    name,
    async () => {
      const started = performance.now();
      let outcome: 'passed' | 'failed' = 'failed';
      try {
        await using board = await begin();
        try {
          await live(board);
        } catch (error) {
          await keepEvidence(name, board);
          throw error;
        }
        outcome = 'passed';
      } finally {
        reportStory({ name, outcome, seconds: Math.round((performance.now() - started) / 100) / 10 });
      }
    },
    storyMs,
  );
}

async function keepEvidence(name: string, board: Board): Promise<void> {
  const folder = join(project.reports, 'lab');
  const file = join(folder, `${name.replace(/[^a-z0-9]+/gi, '-')}.log`);
  const complaint = await board.complaint();
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `${board.console()}\n\n${complaint}\n`);
  process.stderr.write(`What the board had to say is in "${file}"\n`);
}
