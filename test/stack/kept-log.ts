import type { Log } from '../../shared/system/terminal/log.ts';

export type Kept = Log & { lines: string[] };

/** Keeps what is said. */
export function keptLog(): Kept {
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  return {
    lines,
    info: say,
    warn: say,
    error: say,
    alsoTo: () => {},
    lastLine: '',
    async step(doing, done, thing, work) {
      say(`${doing} ${thing}`);
      const result = await work();
      say(`${done} ${thing}`);
      return result;
    },
  };
}
