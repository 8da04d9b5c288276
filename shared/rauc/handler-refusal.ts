import { exitCodes, type Outcome } from '../system/exit-code.ts';

/**
 * What a LastError means that only gives the exit code of system.conf's pre-install handler: RAUC keeps that program's
 * words in its own log. The handler's codes are those of our table. Undefined for every other LastError.
 */
export function handlerRefusal(lastError: string): { outcome: Outcome; reason: string } | undefined {
  const code = Number(
    /^Pre-install handler error: Child process exited with code (\d+)$/.exec(lastError)?.[1],
  );
  for (const [outcome, [known, meaning]] of Object.entries(exitCodes)) {
    if (known !== code) continue;
    // The table's own keys.
    return { outcome: outcome as Outcome, reason: `the system's own check refused it: ${meaning}` };
  }
  return undefined;
}
