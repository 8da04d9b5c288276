import { command } from '../system/process/command.ts';

/** Short: the callers need it only in addition, and may be in a hurry. */
const deadlineMs = 10_000;

/**
 * Why RAUC's last install failed, regardless of the program that asked for it: the property LastError of RAUC's
 * service, which keeps it until the next install or until the service ends. Undefined if there was none, or the
 * service does not answer.
 */
export async function readLastError(signal?: AbortSignal): Promise<string | undefined> {
  const installer = ['de.pengutronix.rauc', '/', 'de.pengutronix.rauc.Installer'];
  try {
    const run = command({ deadlineMs, signal });
    return parseLastError((await run`busctl get-property ${installer} LastError`).stdout);
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}

/** `s "Failed to …: \"x\""`: quoted as in C. */
export function parseLastError(answer: string): string | undefined {
  const quoted = /^s "(.*)"$/s.exec(answer.trim())?.[1];
  const text = quoted
    ?.replace(/\\(["\\])/g, '$1')
    .replace(/\\n/g, ' ')
    .trim();
  return text === '' ? undefined : text;
}
