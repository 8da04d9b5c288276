import { describe, expect, test } from 'bun:test';
import { errorCodeOf, Failure, isMissing, reasonOf } from '../../shared/system/failure.ts';

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: something long, open '/x'`), { code });
}

describe('reasonOf()', () => {
  test.each([
    ['a failure', new Failure('Cannot open "x": locked'), 'Cannot open "x": locked'],
    ['an error of several lines', new Error('one\n  two\n\nthree\n'), 'one; two; three'],
    ['an error without words', new RangeError(), 'RangeError'],
    ['a full disk', systemError('ENOSPC'), 'no space left on the device'],
    ['a missing file', systemError('ENOENT'), 'no such file or folder'],
    ['a system error without words of ours', systemError('EXDEV'), "EXDEV: something long, open '/x'"],
    ['a failure that the system caused', new Failure('Cannot x', { cause: systemError('EIO') }), 'Cannot x'],
    ['a text', 'thrown as a text', 'thrown as a text'],
    ['nothing', undefined, 'undefined'],
  ])('is one line when %s was thrown', (_what, error, reason) => {
    expect(reasonOf(error)).toBe(reason);
  });
});

describe('errorCodeOf()', () => {
  test.each([
    ['a system error', systemError('EIO'), 'EIO'],
    ['another error', new Error('none'), undefined],
    ['a code that is no name', { code: 5 }, undefined],
    ['null', null, undefined],
    ['a text', 'ENOENT', undefined],
  ])('reads the name of the error number of %s', (_what, error, code) => {
    expect(errorCodeOf(error)).toBe(code);
  });
});

describe('isMissing()', () => {
  test.each([
    ['ENOENT', true],
    ['ENOTDIR', true],
    ['EACCES', false],
  ])('when the system says %s is %p', (code, missing) => {
    expect(isMissing(systemError(code))).toBe(missing);
  });
});
