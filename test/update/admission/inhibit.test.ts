import { describe, expect, test } from 'bun:test';
import { mkdirSync, symlinkSync } from 'node:fs';
import { decideInhibit, readInhibit, reasonOfInhibit } from '../../../shared/update/admission/inhibit.ts';
import { TempFolder } from '../../support/temp-folder.ts';

const now = new Date('2026-12-24T12:00:00Z');
const end = new Date('2026-12-24T18:00:00Z');

const rows: [when: string, text: string, now: Date, kind: string, reason: string | undefined][] = [
  ['it is empty', '', now, 'inhibited', ''],
  ['it has a reason', 'guests are here\n', now, 'inhibited', 'guests are here'],
  ['it has a reason, and more', 'guests are here\nuntil they go\n', now, 'inhibited', 'guests are here'],
  [
    'it has an end',
    'guests\nuntil: 2026-12-24T18:00:00Z\n',
    now,
    'inhibited',
    'guests (until 2026-12-24T18:00:00.000Z)',
  ],
  ['its end stands first', 'until: 2026-12-24T18:00:00Z', now, 'inhibited', 'until 2026-12-24T18:00:00.000Z'],
  [
    'its end is a day, that day',
    'x\nuntil: 2026-12-24',
    now,
    'inhibited',
    'x (until 2026-12-24T23:59:59.000Z)',
  ],
  ['its end is a day, the day after', 'x\nuntil: 2026-12-23', now, 'expired', undefined],
  ['its end has another zone', 'x\nUntil: 2026-12-24 12:30+01:00', now, 'expired', undefined],
  ['its end is now', 'x\nuntil: 2026-12-24T12:00:00Z', now, 'expired', undefined],
  [
    'its end is a second off',
    'x\nuntil: 2026-12-24T12:00:01Z',
    now,
    'inhibited',
    'x (until 2026-12-24T12:00:01.000Z)',
  ],
  [
    'its end is no date',
    'x\nuntil: tomorrow',
    now,
    'inhibited',
    'x (its end "tomorrow" is no date like 2026-12-24T18:00:00Z)',
  ],
  [
    'its end is no day of any month',
    'until: 2026-13-01',
    now,
    'inhibited',
    'its end "2026-13-01" is no date like 2026-12-24T18:00:00Z',
  ],
  [
    'its end is missing',
    'x\nuntil:',
    now,
    'inhibited',
    'x (its end "" is no date like 2026-12-24T18:00:00Z)',
  ],
  [
    'the clock was never set',
    'x\nuntil: 2019-06-01T00:00:00Z',
    new Date('2019-12-31T00:00:00Z'),
    'inhibited',
    'x (until 2019-06-01T00:00:00.000Z)',
  ],
  ['the lines end as on Windows', 'x\r\nuntil: 2026-12-24T11:00:00Z\r\n', now, 'expired', undefined],
];

describe('decideInhibit()', () => {
  test.each(rows)('when %s', (_when, text, at, kind, reason) => {
    const inhibit = decideInhibit(text, at);
    expect(inhibit.kind as string).toBe(kind);
    expect(reasonOfInhibit(inhibit)).toBe(reason);
  });

  test('says until when', () => {
    expect(decideInhibit(`x\nuntil: ${end.toISOString()}`, now)).toEqual({
      kind: 'inhibited',
      reason: 'x',
      until: end,
    });
  });
});

describe('readInhibit()', () => {
  const read = (folder: TempFolder) =>
    reasonOfInhibit(readInhibit({ data: folder.path, root: '/', run: '/run/homie' }, now));

  test('finds none when nothing has the name, or the folder is missing', () => {
    using folder = new TempFolder();
    expect(read(folder)).toBeUndefined();
    mkdirSync(folder.at('update'));
    expect(read(folder)).toBeUndefined();
  });

  test.each<[string, (path: string) => unknown, string]>([
    ['a folder, as Docker makes one', (path) => mkdirSync(path), 'it is a folder'],
    ['a link that leads nowhere', (path) => symlinkSync('/nowhere', path), 'no such file or folder'],
    ['a link to itself', (path) => symlinkSync(path, path), 'too many symbolic links'],
    ['a pipe', (path) => Bun.spawnSync(['mkfifo', path]), 'it is not a file'],
  ])('inhibits, in words, when it is %s', (_what, make, reason) => {
    using folder = new TempFolder();
    mkdirSync(folder.at('update'));
    make(folder.at('update/inhibit'));
    expect(read(folder)).toBe(`update/inhibit cannot be read: ${reason}`);
  });
});
