import { parseArgs } from 'node:util';
import { type Host, type Suite, suites, type User, users } from './host.ts';

/** What a newcomer types, and what is expected of it. */
export interface Line {
  line: string;
  exitCode: number;
  /** What the last line must say, where it is not the exit code alone that counts. */
  last?: RegExp;
}

export interface Plan {
  host: Host;
  lines: readonly Line[];
}

const ownQemu = 'sh test/newcomer/own-qemu.sh';

/** What can be typed on the host: all of `npm test` with `whole`, else what takes a minute. */
function linesFor(host: Host, isWhole: boolean): Line[] {
  if (host.as === 'container') {
    return [
      {
        line: 'npm start',
        exitCode: 1,
        last: /^Cannot try the bundle on an embedded device: .*--privileged/,
      },
      good('npm run build'),
      good('npm run check'),
    ];
  }
  const tests = isWhole ? ['npm test'] : ['npm run check', 'npm run coverage'];
  return ['npm start', ownQemu, ...tests].map(good);
}

/** `[--suite SUITE] [--as USER] [whole | LINE...]`. Throws an Error that says what was expected. */
export function readPlan(args: readonly string[]): Plan {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { suite: { type: 'string' }, as: { type: 'string' } },
    allowPositionals: true,
  });
  const host: Host = {
    suite: oneOf<Suite>('--suite', values.suite ?? 'bookworm', suites),
    as: oneOf<User>('--as', values.as ?? 'root', users),
  };
  const isWhole = positionals[0] === 'whole';
  const lines =
    positionals.length === 0 || isWhole ? linesFor(host, isWhole) : positionals.map((line) => good(line));
  return { host, lines };
}

function good(line: string): Line {
  return { line, exitCode: 0 };
}

function oneOf<T extends string>(option: string, value: string, choices: readonly T[]): T {
  const choice = choices.find((candidate) => candidate === value);
  if (choice === undefined) throw new Error(`${option} takes ${choices.join(', ')}, not "${value}"`);
  return choice;
}
