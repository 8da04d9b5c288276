import type { ChildProcess } from 'node:child_process';

/**
 * Writes the source to the child's stdin, as fast as the child reads, and closes stdin after the last piece. A child
 * that ends, or closes its stdin, before it has read all is no failure: the source is abandoned at its next piece.
 * Throws the source's error, with stdin still open: the child must not take a part for the whole.
 */
export async function feedChild(child: ChildProcess, source: AsyncIterable<Uint8Array>): Promise<void> {
  const { stdin } = child;
  if (stdin === null) return;
  let isGone = false;
  let wake = (): void => {};
  const leave = (): void => {
    isGone = true;
    wake();
  };
  stdin.on('drain', () => wake());
  stdin.on('error', leave);
  stdin.once('close', leave);
  child.once('exit', leave);

  for await (const piece of source) {
    if (isGone) break;
    if (stdin.write(piece) || isGone) continue;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  if (isGone) stdin.destroy();
  else stdin.end();
}
