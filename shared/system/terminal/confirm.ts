import { createInterface } from 'node:readline';
import { isatty } from 'node:tty';
import { Failure } from '../failure.ts';
import { print } from './print.ts';

/**
 * Asks before a change that cannot be undone; `isSure` is the caller's --yes. Throws a usage Failure if there is no
 * terminal (a script without --yes), and a Failure if the answer is not yes.
 */
export async function requireYes(question: string, isSure: boolean, signal: AbortSignal): Promise<void> {
  if (isSure) return;
  if (!isatty(0)) {
    throw new Failure(`Cannot ask "${question}": there is no terminal`, {
      outcome: 'usage',
      advice: 'Add --yes to confirm',
    });
  }
  print(2, `${question} [y/N] `);
  const answer = await readLine(signal);
  if (/^y(es)?$/i.test(answer.trim())) return;
  throw new Failure('Cannot continue: the answer was not yes, nothing was changed');
}

/** Empty if the terminal was closed. The terminal's settings are not changed, so that Ctrl-C is still a signal. */
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
