import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { command } from '../../../shared/system/process/command.ts';
import { TempFolder } from '../../support/temp-folder.ts';

/** What would be there after a power cut is decided by the order of the system calls. */

const putFile = join(import.meta.dir, '../programs/put-file.ts');
const calls =
  'write,pwrite64,sendfile,copy_file_range,ioctl,fchmod,fsync,fdatasync,rename,renameat,renameat2';

/** The calls that touch the folder, in order, each as `call name`; the writer's number is taken off the name. */
async function callsOf(what: string): Promise<string[]> {
  using folder = new TempFolder();
  folder.write('source', 'content');
  await command({
    deadlineMs: 60_000,
  })`strace -f -y -qq -e trace=${calls} -o ${folder.at('trace')} ${process.execPath} ${putFile} ${what} ${folder.path}`;
  return folder
    .read('trace')
    .split('\n')
    .filter((line) => line.includes(`${folder.path}`) && !line.includes('write(2'))
    .map((line) => {
      const call = /^\d+\s+(\w+)\(/.exec(line)?.[1] ?? line;
      const [name = ''] = /\/[\w./-]+/.exec(line.slice(line.indexOf(folder.path))) ?? [];
      return `${call.replace(/^renameat2?$/, 'rename')} ${name.replace(folder.path, '.').replace(/\.\d+\.part/, '.part')}`;
    })
    .filter((call, index, all) => call !== all[index - 1]);
}

describe.skipIf(Bun.which('strace') === null)('the order of system calls', () => {
  test('is write, fsync, rename, fsync of the folder for writeDurably()', async () => {
    expect(await callsOf('write')).toEqual([
      'write ./file.part',
      'fchmod ./file.part',
      'fsync ./file.part',
      'rename ./file.part',
      'fsync .',
    ]);
  });

  test('is copy, fsync, rename, fsync of the folder for copyDurably()', async () => {
    expect((await callsOf('copy')).slice(-4)).toEqual([
      'fchmod ./file.part',
      'fsync ./file.part',
      'rename ./file.part',
      'fsync .',
    ]);
  });

  test('is rename, fsync of the folder for renameDurably()', async () => {
    expect(await callsOf('rename')).toEqual(['rename ./source', 'fsync .']);
  });

  test('is write, fsync, and fsync of the folder for the first line of appendLine()', async () => {
    expect(await callsOf('append')).toEqual(['write ./file', 'fsync ./file', 'fsync .']);
  });
});
