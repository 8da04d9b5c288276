export interface TestRun {
  tests: number;
  /** From the first to the last, by the clock. */
  seconds: number;
}

/** What JUnit's XML, as bun writes it, says of a whole run. Undefined where one of its tests has failed. */
export function readTestRun(xml: string): TestRun | undefined {
  const [whole = ''] = /<testsuites [^>]*>/.exec(xml) ?? [];
  const numberOf = (attribute: string): number =>
    Number(new RegExp(` ${attribute}="([\\d.]+)"`).exec(whole)?.[1] ?? Number.NaN);
  const [tests, failures, seconds] = [numberOf('tests'), numberOf('failures'), numberOf('time')];
  if (failures !== 0 || Number.isNaN(tests) || Number.isNaN(seconds)) return undefined;
  return { tests, seconds };
}
