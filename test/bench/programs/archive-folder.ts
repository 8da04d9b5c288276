import { createArchive } from '../../../shared/data/archive.ts';
import { unpackArchive } from '../../../shared/data/archive-unpack.ts';

/** `pack FOLDER ARCHIVE` or `unpack ARCHIVE FOLDER`: the archives of the product and nothing else of it. */
async function main(): Promise<void> {
  const [action, from = '', to = ''] = process.argv.slice(2);
  const { signal } = new AbortController();
  if (action === 'pack') await createArchive({ folder: from, target: to, signal });
  else await unpackArchive({ archive: from, into: to, rootName: 'tree', signal });
  process.exit(0);
}

void main();
