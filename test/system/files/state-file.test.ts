import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, statSync } from 'node:fs';
import * as v from 'valibot';
import { runFolderOf, StateFile } from '../../../shared/system/files/state-file.ts';
import { TempFolder } from '../../support/temp-folder.ts';

const schema = v.looseObject({ format: v.literal(1), name: v.string() });

let folder: TempFolder;
beforeEach(() => {
  folder = new TempFolder();
});
afterEach(() => folder[Symbol.dispose]());
const places = () => ({ data: folder.at('data'), root: folder.at('root'), run: folder.at('run') });

describe('StateFile', () => {
  test('writes what it reads, in a folder that it makes, and keeps what it does not know', () => {
    const file = new StateFile(schema, 'state.json', { mode: 0o600 });
    expect(file.find(places())).toEqual({ kind: 'missing' });
    file.write(places(), { format: 1, name: 'a', later: true });
    expect(folder.read('data/update/state.json')).toBe('{"format":1,"name":"a","later":true}\n');
    expect(statSync(file.pathIn(places())).mode & 0o777).toBe(0o600);
    expect(file.read(places())).toEqual({ format: 1, name: 'a', later: true });
  });

  test('lies where it is told to, and is indented where a person reads it', () => {
    const file = new StateFile(schema, 'state.json', { folder: runFolderOf, indent: 2 });
    file.write(places(), { format: 1, name: 'a' });
    expect(folder.read('run/state.json')).toBe('{\n  "format": 1,\n  "name": "a"\n}\n');
  });

  test.each([
    ['torn', '{"format":1,"na'],
    ['empty', ''],
    ['of a newer format', '{"format":2,"name":"a"}'],
    ['not an object', '[]'],
  ])('is damaged when it is %s', (_what, text) => {
    folder.write('data/update/state.json', text);
    const file = new StateFile(schema, 'state.json');
    expect(file.find(places())).toEqual({ kind: 'damaged', error: expect.any(Error) });
    expect(file.read(places())).toBeUndefined();
  });

  test('is damaged when it cannot be read', () => {
    mkdirSync(folder.at('data/update/state.json'), { recursive: true });
    chmodSync(folder.at('data/update'), 0o755);
    expect(new StateFile(schema, 'state.json').find(places())).toMatchObject({
      kind: 'damaged',
      error: { code: 'EISDIR' },
    });
  });
});
