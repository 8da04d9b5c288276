import { expect, test } from 'bun:test';
import { worthSaying } from './worth-saying.ts';

test('worthSaying() leaves out what bun says of tests that pass', () => {
  const said = `bun test v1.4.5 (a7733435c)

test/a/b.test.ts:
cut at 7, about "a step"
(pass) a > b [1.24ms]
(fail) c [0.15ms]

 1 pass
 1 fail
 3 expect() calls
Ran 2 tests across 1 file. [630.00ms]
`;
  expect(worthSaying(said)).toBe('cut at 7, about "a step"\n(fail) c [0.15ms]\n');
});
