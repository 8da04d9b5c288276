import type { Outcome } from '../../system/exit-code.ts';
import { type CommandFailure, seconds } from '../../system/process/command.ts';

/** Why a pull failed, and whether it may work a little later. */
export interface PullTrouble {
  reason: string;
  /** Docker's own last line. */
  words: string;
  heals: boolean;
  outcome: Outcome;
  /** The wait that the registry asked for. */
  retryAfterMs?: number;
}

type Rule = readonly [words: RegExp, reason: string, outcome: Outcome];

/** Texts of docker and the registries; the first match decides. `tryLater` marks trouble that may pass. */
const rules: readonly Rule[] = [
  [/to the docker daemon|error during connect/i, 'the Docker engine does not answer', 'tryLater'],
  [/no space left on device|disk quota exceeded/i, 'there is no space left', 'noSpace'],
  [
    /toomanyrequests|too many requests|HTTP 429|rate limit|status:? 429/i,
    'the registry gets too many requests',
    'tryLater',
  ],
  [
    /no matching manifest for|does not match the specified platform/i,
    'it is not made for this machine',
    'failed',
  ],
  [
    /not yet valid: current time \S+ is before/i,
    'the clock is behind the certificate of the registry',
    'tryLater',
  ],
  [/x509:|certificate/i, 'the certificate of the registry is not valid', 'failed'],
  [
    /denied|unauthorized|no basic auth credentials|HTTP 40[13]|status:? 40[13]/i,
    'the registry denies access to it',
    'failed',
  ],
  [
    /(?:manifest|name) unknown|unknown blob|(?:manifest|repository) .*not found|: not found$|HTTP 404|status:? 404/im,
    'the registry does not have it',
    'failed',
  ],
  [/invalid reference format/i, 'that is no name of an image', 'failed'],
  [
    /HTTP 5\d\d|status:? 5\d\d|bad gateway|service unavailable|gateway time-?out|internal server error/i,
    'the registry reports an error',
    'tryLater',
  ],
  [/connection refused/i, 'the registry refuses connections', 'tryLater'],
  [
    /no such host|temporary failure in name resolution|server misbehaving/i,
    'the name of the registry is not known here',
    'tryLater',
  ],
  [
    /network is unreachable|no route to host|network is down/i,
    'there is no route to the registry',
    'tryLater',
  ],
  [
    /time-?out|timed out|deadline exceeded|request canceled/i,
    'the registry does not answer in time',
    'tryLater',
  ],
  [
    /\bEOF\b|connection reset|broken pipe|use of closed|stream error|GOAWAY|connection closed|context canceled/i,
    'the connection broke',
    'tryLater',
  ],
  [/verification failed|unexpected size|short read|checksum/i, 'it arrived damaged', 'tryLater'],
];

/** Reads docker's last output; a pull that was ended at its deadline may only have had a bad connection. */
export function readPullTrouble(failure: Pick<CommandFailure, 'exitCode' | 'stderr'>): PullTrouble {
  const words = failure.stderr;
  const rule = rules.find(([pattern]) => pattern.test(words));
  if (rule === undefined && failure.exitCode === undefined)
    return { reason: 'it did not end in time', words: lastLineOf(words), heals: true, outcome: 'tryLater' };
  const [, reason, outcome] = rule ?? [
    undefined,
    lastLineOf(words) || 'docker does not say why',
    'failed' as const,
  ];
  const retryAfterMs = retryAfterIn(words);
  const heals = outcome === 'tryLater';
  return {
    reason,
    words: lastLineOf(words),
    heals,
    outcome,
    ...(heals && retryAfterMs !== undefined ? { retryAfterMs } : {}),
  };
}

const unitMs: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Reads `toomanyrequests: retry-after: 1m30s, allowed: 44000/minute`; seconds if no unit is given. */
function retryAfterIn(words: string): number | undefined {
  const text = /retry[- ]after:?\s*((?:[\d.]+\s*(?:ns|us|µs|ms|s|m|h)?\s*)+)/i.exec(words)?.[1];
  if (text === undefined) return undefined;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)\s*(ns|us|µs|ms|s|m|h)?/gi)];
  const ms = parts.map(([, number, unit]) => Number(number) * (unitMs[unit?.toLowerCase() ?? 's'] ?? 1000));
  return ms.reduce((sum, one) => sum + one, 0);
}

export interface Patience {
  firstPauseMs: number;
  longestPauseMs: number;
}

/** Doubles with each attempt, with a random part so that devices do not ask at the same time; `random` is from 0 to 1. */
export function pauseBeforeMs(
  attempt: number,
  trouble: PullTrouble,
  patience: Patience,
  random: number,
): number {
  const grown = Math.min(patience.firstPauseMs * 2 ** (attempt - 1), patience.longestPauseMs);
  return Math.round(Math.max(grown / 2, trouble.retryAfterMs ?? 0) + (grown / 2) * random);
}

export function timesIn(attempts: number, ms: number): string {
  return attempts === 1 ? '' : `, ${attempts} times in ${seconds(ms)}`;
}

function lastLineOf(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() ?? '';
}
