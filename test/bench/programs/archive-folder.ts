import { createArchive } from '../../../shared/data/archive/archive.ts';
import { verifyArchive } from '../../../shared/data/archive/archive-check.ts';
import { unpackArchive } from '../../../shared/data/archive/archive-unpack.ts';

/** `pack FOLDER ARCHIVE` or `unpack ARCHIVE FOLDER`, verified before: the archives of the product and nothing else of it. */
async function main(): Promise<void> {
  const [action, from = '', to = ''] = process.argv.slice(2);
  const { signal } = new AbortController();
  if (action === 'pack') await createArchive({ folder: from, target: to, signal });
  else await unpackArchive({ archive: await verifyArchive(from, 'tree', signal), into: to, signal });
  process.exit(0);
}

void main();
