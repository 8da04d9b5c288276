import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, lchownSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './archive-tree.ts';

/** A tree with all that is hard about one. */
export async function makeHardTree(folder: string): Promise<void> {
  const write = (name: string, content: string | Buffer = name): string => {
    const path = join(folder, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, content);
    return path;
  };
  write('empty', '');
  mkdirSync(join(folder, 'empty-folder'));
  write('large', randomBytes(3_000_001));
  write('just-small', randomBytes(64 * 1024));
  write('just-not-small', randomBytes(64 * 1024 + 1));
  write('run.sh');
  write(`${'folder/'.repeat(30)}${'n'.repeat(120)}`);
  write(`${'f'.repeat(200)}/${'g'.repeat(250)}/${'h'.repeat(255)}`);
  for (const name of [
    'Größe ☂ 日本',
    'back\\slash',
    'ends\\',
    'C:colon',
    'new\nline',
    '-x',
    '\ufeffbom',
    'a=b %41 c',
  ])
    write(`names/${name}`);

  linkSync(join(folder, 'large'), join(folder, 'names/hard link'));
  linkSync(join(folder, 'large'), join(folder, `${'f'.repeat(200)}/${'l'.repeat(140)}`));
  symlinkSync('../outside/nowhere', join(folder, 'dangling'));
  symlinkSync('/etc/passwd', join(folder, 'absolute'));
  symlinkSync(`./${'t'.repeat(300)}//back\\slash/`, join(folder, 'long-target'));
  linkSync(join(folder, 'dangling'), join(folder, 'dangling-too'));

  chownSync(write('owner-small'), 1000, 262_143);
  chownSync(write('owner-pax'), 262_144, 2_097_152);
  chownSync(write('owner-large'), 3_000_000, 4_000_000_000);
  lchownSync(join(folder, 'absolute'), 33, 4_294_967_294);
  for (const [name, mode] of [
    ['run.sh', 0o4755],
    ['empty', 0o000],
    ['empty-folder', 0o000],
    ['just-small', 0o2640],
    ['names', 0o1777],
  ] as const)
    chmodSync(join(folder, name), mode);

  await run`setfattr -n user.text -v ${'Größe = 1\n2'} ${join(folder, 'large')}`;
  await run`setfattr -n user.a=b%3D -v 0x6100620a ${join(folder, 'run.sh')}`;
  await run`setfattr -n user.nothing ${join(folder, 'names')}`;
  await run`setfattr -h -n trusted.on-link -v x ${join(folder, 'absolute')}`;
  // cap_net_raw+ep
  await run`setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 ${join(folder, 'run.sh')}`;

  const times: [string, string][] = [
    ['owner-small', '@-1.5'],
    ['owner-pax', '@0'],
    ['just-small', '@4300000000.25'],
    ['absolute', '@1600000000.123456'],
    ['empty-folder', '@1500000000.000000001'],
  ];
  for (const [name, time] of times) await run`touch -h -d ${time} ${join(folder, name)}`;
  await run`touch -d ${'2001-02-03 04:05:06.123456789Z'} ${join(folder, 'run.sh')} ${join(folder, 'names')}`;
}
