import { type Kind, kindOf } from './kinds.ts';
import { type Lane, laneOf, type Plan } from './lane.ts';
import type { Words } from './words.ts';

/** What CI takes of the emulated board; `npm run test:deep` takes all of it. */
const ofTheLab = ['power-cuts.lab', 'stories/fallback', 'boot-script.lab', 'guide-script.lab', 'card.lab'];
const cuts = { all: 25, deep: 200 };

/** What `npm run test:lab` takes where it is given no name: what needs no whole board. */
const withoutBoard = ['boot-script.lab', 'guide-script.lab', 'card.lab'];

/** Most tests wait more than they compute. */
const filesAtOnce = 5;

/**
 * Each in a row beside a load: what fails once is a fault. The matrix and the lives of the model are tried beside a load by
 * themselves.
 */
const repeats = 30;
const load = ['stress-ng', '--quiet', '--cpu', '4', '--io', '1'];

export interface Files {
  all: readonly string[];
  /** Those that prove more from `test:all` on, though `npm test` runs them too. */
  byTier: ReadonlySet<string>;
}

/** Throws where a name finds no file: a typing error would prove nothing. */
export function planOf(words: Words, files: Files): Plan {
  return { run: words.run, ...lanesOf(words, files) };
}

function lanesOf(words: Words, files: Files): Pick<Plan, 'beside' | 'stages'> {
  const { run, names } = words;
  const of = (...kinds: Kind[]): string[] => files.all.filter((file) => kinds.includes(kindOf(file)));
  switch (run) {
    case 'quick':
      if (names.length > 0) return alone([some(named(files.all, names), words)]);
      return alone(quickLanes(of('quick')));
    case 'repeat':
      return alone([repeat(named(of('quick'), names))]);
    case 'live':
      return alone(names.length > 0 ? [live(named(of('live'), names))] : liveLanes(of('live')));
    case 'fleet':
      return alone([fleet(named(of('fleet'), names))]);
    case 'lab':
      return alone(labLanes(named(of('lab'), labNames(words)), words.cuts, words.from));
    default: {
      if (names.length > 0) return alone([some(named(files.all, names), words)]);
      const scaled = files.all.filter((file) => kindOf(file) !== 'quick' || files.byTier.has(file));
      const proved = words.without.includes('quick') ? scaled : files.all;
      const kinds = run === 'deep' ? ['quick', 'all', 'deep'] : ['quick', 'all'];
      const lab = run === 'deep' ? of('lab') : named(of('lab'), ofTheLab);
      return {
        beside: words.without.includes('lab') ? [] : labLanes(lab, cuts[run]).map(behind),
        stages: [
          quickLanes(proved.filter((file) => kinds.includes(kindOf(file)))),
          liveLanes(of('live')),
          [fleet(of('fleet'))],
          ...(run === 'deep' ? [[repeat(of('quick'))]] : []),
        ],
      };
    }
  }
}

function alone(lanes: readonly Lane[]): Pick<Plan, 'beside' | 'stages'> {
  return { beside: [], stages: [lanes] };
}

/** The lives of a model, in which little goes by a clock, take what the others leave of the processors. */
function quickLanes(files: readonly string[]): Lane[] {
  const isModel = (file: string): boolean => file.startsWith('test/model/');
  return [
    laneOf('model', files.filter(isModel), { atOnce: 2, niceness: 5, flags: ['--max-concurrency', '3'] }),
    laneOf(
      'others',
      files.filter((file) => !isModel(file)),
      { atOnce: filesAtOnce },
    ),
  ];
}

/** Whole boards with an engine, two at once since they wait most of the time, beside what needs an engine only. */
function liveLanes(files: readonly string[]): Lane[] {
  const hasBoard = (file: string): boolean => file.startsWith('test/rig/transaction/');
  return [{ ...live(files.filter(hasBoard)), atOnce: 2 }, live(files.filter((file) => !hasBoard(file)))];
}

function repeat(files: readonly string[]): Lane {
  const repeated = files.filter((file) => !file.startsWith('test/model/'));
  const env = { HOMIE_TIER: 'quick' };
  return laneOf('repeat', repeated, { atOnce: filesAtOnce, times: repeats, load, env });
}

function live(files: readonly string[]): Lane {
  return laneOf('live', files, { timeoutMs: 240_000 });
}

function fleet(files: readonly string[]): Lane {
  return laneOf('fleet', files, { timeoutMs: 300_000 });
}

function labNames({ cuts, names }: Words): readonly string[] {
  if (names.length > 0) return names;
  return cuts === undefined ? withoutBoard : ['power-cuts.lab'];
}

/** Two boards at once: on two cores one of them always waits for its disk or its clock. */
function labLanes(files: readonly string[], cuts?: number, from?: number): Lane[] {
  const wish = { timeoutMs: 600_000, flags: ['--max-concurrency', '2'] };
  const isCutting = (file: string): boolean => file.includes('/power-cuts');
  const env = {
    ...(cuts === undefined ? {} : { HOMIE_LAB_CUTS: String(cuts) }),
    ...(from === undefined ? {} : { HOMIE_LAB_FROM: String(from) }),
  };
  return [
    laneOf('cuts', files.filter(isCutting), { ...wish, env }),
    laneOf(
      'lab',
      files.filter((file) => !isCutting(file)),
      wish,
    ),
  ];
}

/** The clock of an emulated board stops while other processes compute, so it may be the last. */
function behind(lane: Lane): Lane {
  return { ...lane, niceness: 10 };
}

function some(files: readonly string[], { flags }: Words): Lane {
  return laneOf('some', files, { atOnce: filesAtOnce, timeoutMs: 240_000, flags });
}

/** A name is a file's path, or a part of it. */
function named(files: readonly string[], names: readonly string[]): string[] {
  if (names.length === 0) return [...files];
  const found = names.flatMap((name) => {
    const word = name.replace(/^\.\//, '');
    const own = files.filter((file) => file === word);
    const fitting = own.length > 0 ? own : files.filter((file) => file.includes(word));
    if (fitting.length === 0) throw new Error(`no test file of this run has "${name}" in its path`);
    return fitting;
  });
  return [...new Set(found)];
}
