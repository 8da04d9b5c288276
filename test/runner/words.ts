/** What a run is asked for: `bun test/run.ts RUN [--without PART]... [--cuts N [--from N]] [NAME...] [FLAG-OF-BUN...]`. */
export interface Words {
  run: Run;
  /** Parts that another command proves in the same go. */
  without: readonly Part[];
  cuts?: number;
  from?: number;
  /** Of test files, or words in their paths; none: all of the run. */
  names: readonly string[];
  /** From the first word on that begins with a dash and is none of ours: handed to bun. */
  flags: readonly string[];
}

export type Run = (typeof runs)[number];
type Part = (typeof parts)[number];

const runs = ['quick', 'all', 'deep', 'live', 'fleet', 'lab', 'repeat'] as const;
const parts = ['quick', 'lab'] as const;

/** Throws where a word cannot be taken. */
export function readWords(given: readonly string[]): Words {
  const [first, ...rest] = given;
  const run = runs.find((one) => one === first);
  if (run === undefined) throw new Error(`expected ${runs.join(', ')}, not "${first ?? ''}"`);
  const words = { run, without: [] as Part[], names: [] as string[], flags: [] as string[] };
  const numbers: { cuts?: number; from?: number } = {};
  while (rest.length > 0) {
    const word = rest.shift() ?? '';
    if (word === '--without') words.without.push(partOf(rest.shift()));
    else if (word === '--cuts' && run === 'lab') numbers.cuts = numberOf(word, rest.shift());
    else if (word === '--from' && run === 'lab') numbers.from = numberOf(word, rest.shift());
    else if (word.startsWith('-')) words.flags.push(word, ...rest.splice(0));
    else words.names.push(word);
  }
  return { ...words, ...numbers };
}

function partOf(word = ''): Part {
  const part = parts.find((one) => one === word);
  if (part === undefined) throw new Error(`--without takes ${parts.join(' or ')}, not "${word}"`);
  return part;
}

function numberOf(option: string, word = ''): number {
  if (!/^[1-9]\d*$/.test(word)) throw new Error(`${option} takes a number from 1 on, not "${word}"`);
  return Number(word);
}
