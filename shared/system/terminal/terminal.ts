import { isatty } from 'node:tty';

/** Whether to use colours and moving lines: only on a terminal, and never against https://no-color.org. */
export function isTerminal(descriptor: 1 | 2): boolean {
  return isatty(descriptor) && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';
}
