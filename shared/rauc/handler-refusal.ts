import { exitCodes, type Outcome } from '../system/exit-code.ts';

/**
 * Explains a LastError that gives only the exit code of system.conf's pre-install handler: RAUC writes that program's
 * output to its own log only. The handler's codes are those of our table. Undefined for every other LastError.
 */
export function handlerRefusal(lastError: string): { outcome: Outcome; reason: string } | undefined {
  const code = Number(
    /^Pre-install handler error: Child process exited with code (\d+)$/.exec(lastError)?.[1],
  );
  for (const [outcome, [known, meaning]] of Object.entries(exitCodes)) {
    if (known !== code) continue;
    // The keys of the table are the outcomes.
    return { outcome: outcome as Outcome, reason: `the system's own check refused it: ${meaning}` };
  }
  return undefined;
}
