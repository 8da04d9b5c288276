export interface Reached {
  path: string;
  lines: number;
  hit: number;
}

/** Of each file that a run has loaded, how many lines there are to run, and how many of them it ran. */
export function parseLcov(report: string): Reached[] {
  return report.split('end_of_record').flatMap((record) => {
    const field = (name: string) => new RegExp(`^${name}:(.*)$`, 'm').exec(record)?.[1];
    const path = field('SF');
    return path === undefined ? [] : [{ path, lines: Number(field('LF')), hit: Number(field('LH')) }];
  });
}

/** In percent; a file without a line to run has none that was missed. */
export function shareOf({ lines, hit }: Pick<Reached, 'lines' | 'hit'>): number {
  return lines === 0 ? 100 : (100 * hit) / lines;
}

/** Of the wanted files those of which a run has reached too little, or which no test has loaded. */
export function belowFloor(wanted: readonly string[], reached: readonly Reached[], floor: number): string[] {
  const known = new Map(reached.map((file) => [file.path, file]));
  return wanted.filter((path) => {
    const file = known.get(path);
    return file === undefined || shareOf(file) < floor;
  });
}
