import { expect, test } from 'bun:test';
import { chownSync, lstatSync, mkdirSync, symlinkSync } from 'node:fs';
import { giveToOwner } from '../../../shared/packaging/commands/give-to-owner.ts';
import { isRoot } from '../../support/privileges.ts';
import { TempFolder } from '../../support/temp-folder.ts';

const [owner, other] = [4711, 4712];
const uidOf = (path: string): number => lstatSync(path).uid;

/** A user's clone, with what root has made in it, and files of root outside of it. */
function makeClone(): TempFolder {
  const folder = new TempFolder();
  mkdirSync(folder.at('clone/dist'), { recursive: true });
  folder.write('clone/dist/made-by-root', '');
  folder.write('clone/dist/of-another', '');
  folder.write('outside/secret', '');
  chownSync(folder.at('clone'), owner, owner);
  chownSync(folder.at('clone/dist/of-another'), other, other);
  return folder;
}

test.skipIf(!isRoot)(
  "giveToOwner() gives what root made to the clone's owner, and nothing else",
  async () => {
    using folder = makeClone();
    await giveToOwner(folder.at('clone'), [folder.at('clone/dist'), folder.at('clone/missing')]);
    expect(uidOf(folder.at('clone/dist'))).toBe(owner);
    expect(uidOf(folder.at('clone/dist/made-by-root'))).toBe(owner);
    expect(uidOf(folder.at('clone/dist/of-another'))).toBe(other);
    expect(uidOf(folder.at('outside/secret'))).toBe(0);
  },
);

test.skipIf(!isRoot).each(['clone/dist', 'clone/dist/inside'])(
  'giveToOwner() gives away nothing behind a link at %s',
  async (place) => {
    using folder = makeClone();
    if (place === 'clone/dist') folder.remove('clone/dist');
    symlinkSync(folder.at('outside'), folder.at(place));
    await giveToOwner(folder.at('clone'), [folder.at('clone/dist')]);
    expect(uidOf(folder.at('outside'))).toBe(0);
    expect(uidOf(folder.at('outside/secret'))).toBe(0);
  },
);

test.skipIf(!isRoot)("giveToOwner() changes nothing in root's own clone", async () => {
  using folder = makeClone();
  chownSync(folder.at('clone'), 0, 0);
  await giveToOwner(folder.at('clone'), [folder.at('clone/dist')]);
  expect(uidOf(folder.at('clone/dist/made-by-root'))).toBe(0);
});
