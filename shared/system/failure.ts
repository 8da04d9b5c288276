import type { Outcome } from './exit-code.ts';

/**
 * A foreseen failure: one line for people, an outcome for programs, never a stack trace.
 * The message reads *Cannot <verb> <thing> "<value>": <reason>*; `advice` says what to do about it.
 */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly outcome: Outcome;
  readonly advice: string | undefined;

  constructor(message: string, options: { outcome?: Outcome; advice?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.outcome = options.outcome ?? 'failed';
    this.advice = options.advice;
  }
}

/** The reason in one line, for any thrown value. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof Failure) return oneLine(error.message);
  return systemReasonOf(error) ?? oneLine(error.message || error.name);
}

/** The error number's name (`ENOSPC`), where the system gave one. */
export function errorCodeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

export function isMissing(error: unknown): boolean {
  const code = errorCodeOf(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

const systemReasons: Record<string, string> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'disk quota exceeded',
  EROFS: 'the file system is read-only',
  EIO: 'the device reports an input/output error',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is not a folder',
  ELOOP: 'too many symbolic links',
  EMFILE: 'too many open files',
  ENAMETOOLONG: 'the path or a name in it is too long',
};

function systemReasonOf(error: Error): string | undefined {
  const code = errorCodeOf(error);
  return code === undefined ? undefined : systemReasons[code];
}

function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, '; ');
}
