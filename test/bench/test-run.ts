export interface TestRun {
  tests: number;
  /** From the first to the last, by the clock. */
  seconds: number;
}

/** What JUnit's XML, as bun writes it, says of runs side by side. Undefined where a test of theirs has failed, or one has not ended. */
export function readTestRun(runs: readonly string[]): TestRun | undefined {
  const ended = runs.map((xml) => {
    const [whole = ''] = /<testsuites [^>]*>/.exec(xml) ?? [];
    const numberOf = (attribute: string): number =>
      Number(new RegExp(` ${attribute}="([\\d.]+)"`).exec(whole)?.[1] ?? Number.NaN);
    return { tests: numberOf('tests'), failures: numberOf('failures'), seconds: numberOf('time') };
  });
  if (ended.some(({ tests, failures, seconds }) => failures !== 0 || Number.isNaN(tests + seconds)))
    return undefined;
  return {
    tests: ended.reduce((sum, { tests }) => sum + tests, 0),
    seconds: Math.max(...ended.map(({ seconds }) => seconds)),
  };
}
