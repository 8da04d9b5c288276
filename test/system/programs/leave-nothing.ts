import { command } from '../../../shared/system/process/command.ts';
import { print } from '../../../shared/system/terminal/print.ts';

/** Runs one command with a long deadline; a timer that is left would keep this process alive until then. */
let aborted = 0;
const ending = new AbortController();
const add = ending.signal.addEventListener.bind(ending.signal);
const remove = ending.signal.removeEventListener.bind(ending.signal);
ending.signal.addEventListener = (...args: Parameters<typeof add>) => {
  aborted += 1;
  add(...args);
};
ending.signal.removeEventListener = (...args: Parameters<typeof remove>) => {
  aborted -= 1;
  remove(...args);
};
await command({ deadlineMs: 600_000, signal: ending.signal })`true`;
print(1, `aborted ${aborted} times\n`);
