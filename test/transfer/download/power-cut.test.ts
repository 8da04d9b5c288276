import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { command } from '../../../shared/system/process/command.ts';
import { honest, someBytes } from '../../support/servers/file-server.ts';
import { HostileServer } from '../../support/servers/hostile-server.ts';
import { TempFolder } from '../../support/temp-folder.ts';

/** What is believed after a power cut was on disk before it was noted: the order of the system calls decides. */

const program = join(import.meta.dir, 'programs/fetch-file.ts');
const calls = 'write,pwrite64,fsync,fdatasync,rename,renameat,renameat2';

describe.skipIf(Bun.which('strace') === null)('a fetch', () => {
  test('proves bytes before it notes them, and the whole before it gives it its name', async () => {
    using folder = new TempFolder();
    const file = { bytes: someBytes(1_500_000), etag: '"x"' };
    await using server = await HostileServer.start(honest(() => file));
    const [trace, download] = [folder.at('trace'), folder.at('download')];
    await command({
      deadlineMs: 60_000,
    })`strace -f -y -qq -e trace=${calls} -o ${trace} ${process.execPath} ${program} ${server.url} ${download}`;
    const seen = folder
      .read('trace')
      .split('\n')
      .flatMap((line) => callOn(line, download) ?? [])
      .filter((call, index, all) => call !== all[index - 1]);
    const noted = ['write note.part', 'fsync note.part', 'rename note.part', 'fsync .'];
    // The line brings more while the disk is at work: only the order of the proofs is looked at.
    const proofs = seen.filter((call) => call !== 'write part');
    const [named, proved] = [
      ['rename part', 'fsync .', ...noted],
      ['fdatasync part', ...noted],
    ];
    const count = (proofs.length - named.length) / proved.length;
    expect(count).toBeGreaterThanOrEqual(2);
    expect(proofs).toEqual([...Array.from({ length: count }, () => proved).flat(), ...named]);
    // And nothing comes between the last of them and the name.
    expect(seen.lastIndexOf('write part')).toBeLessThan(seen.lastIndexOf('fdatasync part'));
  }, 60_000);
});

/** `fdatasync part`: the call, and what in the folder it is about. */
function callOn(line: string, folder: string): string | undefined {
  const call = /^\d+\s+(\w+)\(/.exec(line)?.[1];
  const start = line.indexOf(folder);
  if (call === undefined || start < 0) return undefined;
  const name = /^[\w./-]*/.exec(line.slice(start + folder.length))?.[0] ?? '';
  // What is good for this boot only is never synced.
  if (name.startsWith('/bundle.live.json')) return undefined;
  const short = name.startsWith('/bundle.json')
    ? `note${name.endsWith('.part') ? '.part' : ''}`
    : name === '/bundle.raucb.part'
      ? 'part'
      : '.';
  return `${call.replace('pwrite64', 'write').replace(/^renameat2?$/, 'rename')} ${short}`;
}
