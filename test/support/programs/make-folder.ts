import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { print } from '../../../shared/system/terminal/print.ts';
import { cachedFolder } from '../build/folder-cache.ts';

/** Asks for a folder in the cache, and notes where it had to make it: `make-folder.ts CACHE NOTE`. */
const [cache = '', note = ''] = process.argv.slice(2);
const folder = await cachedFolder({
  cache,
  digest: 'digest',
  name: 'name',
  make: async (part) => {
    appendFileSync(note, 'made\n');
    mkdirSync(part);
    // Long enough for the others to ask.
    await Bun.sleep(300);
    writeFileSync(join(part, 'content'), '');
  },
});
print(1, `${folder}\n`);
