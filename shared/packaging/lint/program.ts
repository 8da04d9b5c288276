import { readFileSync, statSync } from 'node:fs';
import { type Elf, readElf } from '../format/elf.ts';
import { readHead } from '../format/file-head.ts';

/** The kinds of program, as the kernel sees them. */
export type Program =
  | { kind: 'elf'; elf: Elf }
  | { kind: 'script'; interpreter: string; text: string }
  /** Text without `#!`. */
  | { kind: 'text' }
  | { kind: 'binary' }
  | { kind: 'empty' };

const headBytes = 4096;
const mostScriptBytes = 1024 * 1024;

export function readProgram(path: string): Program {
  const elf = readElf(path);
  if (elf !== undefined) return { kind: 'elf', elf };
  const head = readHead(path, headBytes);
  if (head.length === 0) return { kind: 'empty' };
  if (head.includes(0)) return { kind: 'binary' };
  const firstLine = head.toString('utf8').split('\n', 1)[0] ?? '';
  if (!firstLine.startsWith('#!')) return { kind: 'text' };
  const text = statSync(path).size > mostScriptBytes ? '' : readFileSync(path, 'utf8');
  return { kind: 'script', interpreter: firstLine.slice(2).replace(/^[ \t]+/, ''), text };
}
