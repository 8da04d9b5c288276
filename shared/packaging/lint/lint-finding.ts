import type { LintRule } from './rules.ts';

/** One fault of a bundle, with advice. The level is `error` if some device would fail because of it. */
export interface LintFinding {
  rule: LintRule;
  level: 'error' | 'warning';
  /** The path in the bundle; the name of the bundle or certificate if the fault is in that as a whole. */
  file: string;
  line?: number;
  message: string;
  advice: string;
}

export interface Place {
  file: string;
  line?: number | undefined;
}

export function error(rule: LintRule, place: Place, message: string, advice: string): LintFinding {
  return findingOf('error', rule, place, message, advice);
}

export function warning(rule: LintRule, place: Place, message: string, advice: string): LintFinding {
  return findingOf('warning', rule, place, message, advice);
}

/** One line: `manifest.raucm:12: error [rule-name]: message. Advice.` */
export function formatFinding({ rule, level, file, line, message, advice }: LintFinding): string {
  const place = line === undefined ? file : `${file}:${line}`;
  return oneLine(`${place}: ${level} [${rule}]: ${message}. ${advice}.`);
}

export function hasErrors(findings: readonly LintFinding[]): boolean {
  return findings.some(({ level }) => level === 'error');
}

function findingOf(
  level: LintFinding['level'],
  rule: LintRule,
  { file, line }: Place,
  message: string,
  advice: string,
): LintFinding {
  return { rule, level, file, ...(line === undefined ? {} : { line }), message, advice };
}

/** Names in a bundle come from other people: their control characters must not reach a terminal. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}
