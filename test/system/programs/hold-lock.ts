import { openSync } from 'node:fs';
import { tryFlock } from '../../../shared/system/files/libc.ts';
import { lockHolder, tryLock } from '../../../shared/system/process/lock.ts';
import { print } from '../../../shared/system/terminal/print.ts';

/** Takes the lock and keeps it, or says who has it. */
const [, , path = '', what = 'hold'] = process.argv;
if (what === 'ask') {
  print(1, `${JSON.stringify(lockHolder(path) ?? 'nobody')}\n`);
} else if (what === 'look') {
  // As lockHolder() has it for an instant; on a busy machine that is long.
  tryFlock(openSync(path, 'a+'));
  print(1, 'held\n');
  setTimeout(() => process.exit(), 400);
} else {
  const lock = tryLock(path, 'update.sh');
  if ('release' in lock) {
    if (what === 'note') lock.note('1.2.0');
    if (what === 'child')
      print(1, `child ${Bun.spawn(['sleep', '67'], { stdio: ['ignore', 'ignore', 'ignore'] }).pid}\n`);
    if (what === 'release') lock.release();
    print(1, 'held\n');
    setTimeout(() => {}, 60_000);
  } else {
    print(1, `${JSON.stringify(lock)}\n`);
  }
}
