import { createInterface } from 'node:readline';
import { isatty } from 'node:tty';
import { Failure } from '../failure.ts';
import { print } from './print.ts';

/**
 * Asks before what cannot be undone; `isSure` is the caller's --yes. Throws a Failure where nobody is there to answer
 * (a script that forgot --yes, called wrongly), and where the answer is anything but yes.
 */
export async function requireYes(question: string, isSure: boolean, signal: AbortSignal): Promise<void> {
  if (isSure) return;
  if (!isatty(0)) {
    throw new Failure(`Cannot ask "${question}": there is no terminal`, {
      outcome: 'usage',
      advice: 'Add --yes if it is meant',
    });
  }
  print(2, `${question} [y/N] `);
  const answer = await readLine(signal);
  if (/^y(es)?$/i.test(answer.trim())) return;
  throw new Failure('Cannot go on: the answer was not yes, nothing was changed');
}

/** Empty where the terminal was closed instead. The terminal stays as it is, so that Ctrl-C is still a signal. */
function readLine(signal: AbortSignal): Promise<string> {
  const lines = createInterface({ input: process.stdin, terminal: false });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const onAbort = (): void => reject(signal.reason);
  lines.once('line', resolve);
  lines.once('close', () => resolve(''));
  signal.addEventListener('abort', onAbort, { once: true });
  return promise.finally(() => {
    signal.removeEventListener('abort', onAbort);
    lines.close();
  });
}
