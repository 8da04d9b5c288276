import type { ChildProcess } from 'node:child_process';

/**
 * Hands the source to the child, as fast as that reads, and closes its stdin after the last piece. A child that ends,
 * or closes its stdin, before it has read all is no failure: the source is let go at its next piece. Throws what the
 * source throws, with the stdin still open: a child must not take half of it for all.
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
