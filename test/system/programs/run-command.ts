import { reasonOf } from '../../../shared/system/failure.ts';
import { command } from '../../../shared/system/process/command.ts';
import { print } from '../../../shared/system/terminal/print.ts';

/** Runs one shell line with a deadline, and prints what it printed, else the reason. */
const [, , script = '', deadlineMs = '10000'] = process.argv;
try {
  const { stdout } = await command({ deadlineMs: Number(deadlineMs) })`/bin/sh -c ${script}`;
  print(1, stdout);
} catch (error) {
  print(1, `${reasonOf(error)}\n`);
}
