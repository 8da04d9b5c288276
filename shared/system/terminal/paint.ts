import { isTerminal } from './terminal.ts';

/** Colours for text on a terminal; plain text everywhere else. */
export interface Paint {
  good(text: string): string;
  warning(text: string): string;
  bad(text: string): string;
  strong(text: string): string;
}

export function paintFor(descriptor: 1 | 2): Paint {
  const isColoured = isTerminal(descriptor);
  const paint =
    (code: number) =>
    (text: string): string =>
      isColoured && text !== '' ? `\x1b[${code}m${text}\x1b[0m` : text;
  return { good: paint(32), warning: paint(33), bad: paint(31), strong: paint(1) };
}
