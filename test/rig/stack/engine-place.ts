import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../../shared/system/failure.ts';
import { writeDurably } from '../../../shared/system/files/durable-file.ts';
import { tryLock } from '../../../shared/system/process/lock.ts';
import { clearTraces } from './engine-traces.ts';
import { waitFor } from './wait-for.ts';

/**
 * What no two engines on one machine may share: addresses and control group. Noted where the machine forgets it at
 * its next start, with the owner, so that the next engine sweeps away what a killed owner has left.
 */
export interface EnginePlace {
  number: number;
  folder: string;
}

interface Note extends EnginePlace {
  ownerPid: number;
  ownerStart: string;
}

const notesFolder = '/run/homie-engines';
/** Stays, as lock files do: removing one lets two in. */
const lockFile = '/run/lock/homie-engines';
const mostEngines = 16;

export async function claimPlace(folder: string): Promise<EnginePlace> {
  return await alone(async () => {
    for (const note of readNotes()) {
      if (startOf(note.ownerPid) === note.ownerStart) continue;
      await clearTraces(note);
      rmSync(pathOf(note.number));
    }
    const [number] = freeNumbers();
    if (number === undefined) throw new Failure(`Cannot start an engine: ${mostEngines} run already`);
    const note: Note = { number, folder, ownerPid: process.pid, ownerStart: startOf(process.pid) ?? '' };
    mkdirSync(notesFolder, { recursive: true });
    writeDurably(pathOf(number), JSON.stringify(note));
    return { number, folder };
  });
}

export async function leavePlace({ number }: EnginePlace): Promise<void> {
  await alone(() => {
    rmSync(pathOf(number), { force: true });
    if (readNotes().length === 0) rmSync(notesFolder, { recursive: true, force: true });
  });
}

/** On these nothing of an engine may be found on the machine. */
export function freeNumbers(): number[] {
  const taken = readNotes().map(({ number }) => number);
  return [...Array(mostEngines).keys()].filter((number) => !taken.includes(number));
}

async function alone<T>(work: () => Promise<T> | T): Promise<T> {
  const lock = await waitFor(
    'the list of engines',
    () => {
      const answer = tryLock(lockFile, 'engine');
      return 'release' in answer && answer;
    },
    { deadlineMs: 60_000 },
  );
  try {
    return await work();
  } finally {
    lock.release();
  }
}

function readNotes(): Note[] {
  if (!existsSync(notesFolder)) return [];
  return readdirSync(notesFolder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(notesFolder, name), 'utf8')));
}

function pathOf(number: number): string {
  return join(notesFolder, `${number}.json`);
}

/** When the process started, which tells it from a later one with the same number. See proc(5). */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' || state === 'X' ? undefined : fields[18];
  } catch {
    return undefined;
  }
}
