/** What a test file said beyond what bun prints of tests that pass. */
export function worthSaying(said: string): string {
  return said
    .split('\n')
    .filter((line) => !usual.some((pattern) => pattern.test(line)))
    .map((line) => `${line}\n`)
    .join('');
}

const usual = [
  /^\s*$/,
  /^\(pass\) /,
  /^bun test v/,
  /^\S+\.test\.ts:$/,
  /^ +\d+ (pass|fail|expect\(\) calls)$/,
  /^Ran \d+ tests? across /,
];
