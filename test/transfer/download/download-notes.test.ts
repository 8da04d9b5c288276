import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import {
  type DownloadState,
  LiveNote,
  readLive,
  readSide,
  textOf,
} from '../../../shared/transfer/download/download-notes.ts';
import { TempFolder } from '../../support/temp-folder.ts';

let folder: TempFolder;
beforeEach(() => {
  folder = new TempFolder();
});
afterEach(() => folder[Symbol.dispose]());

const side: DownloadState = {
  url: 'http://127.0.0.1/ü',
  etag: '"ü"',
  lastModified: null,
  totalBytes: 1000,
  provenBytes: 100,
  later: [],
  isWhole: false,
};
const gappy: DownloadState = { ...side, later: [{ from: 200, to: 1000 }] };

describe('the note beside a download', () => {
  test.each([
    ['without a gap, as the versions before can read it', side, 1],
    ['with gaps', gappy, 2],
  ])('is read as it was written %s', (_what, note, format) => {
    const path = folder.write('note', textOf(note));
    expect(JSON.parse(folder.read('note'))).toMatchObject({ format });
    expect(readSide(path)).toEqual(note);
  });

  test.each([
    ['of a later format', { ...side, format: 3 }],
    ['of format 2 without what lies behind the gap', { ...side, format: 2, later: undefined }],
    ['with a range that is none', { ...gappy, format: 2, later: [{ from: -1, to: 5 }] }],
  ])('is of no download, %s', (_what, note) => {
    expect(readSide(folder.write('note', JSON.stringify(note)))).toBeUndefined();
  });
});

test('LiveNote says what was put last, however much shorter it is', () => {
  const path = folder.at('live');
  const note = new LiveNote(path, side);
  for (const next of [gappy, side, { ...gappy, provenBytes: 150 }, { ...side, provenBytes: 1000 }]) {
    note.put(next);
    expect(readLive(path)).toEqual(next);
  }
  note.close();
});
