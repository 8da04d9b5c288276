import { writeDurably } from '../../../shared/system/files/durable-file.ts';
import { print } from '../../../shared/system/terminal/print.ts';

/** Writes the file again and again, all `a`, all `b`, until it is killed. */
const [, , path = ''] = process.argv;
const contents = ['a', 'b'].map((letter) => letter.repeat(2_000_000));
for (let round = 0; ; round += 1) {
  writeDurably(path, contents[round % 2] ?? '');
  if (round === 3) print(1, 'ready\n');
}
