import { exitCodes, type Outcome, outcomeOf } from '../system/exit-code.ts';

/**
 * Explains a LastError that gives only the exit code of system.conf's pre-install handler: RAUC writes that program's
 * output to its own log only. The handler's codes are those of our table. Undefined for every other LastError.
 */
export function handlerRefusal(lastError: string): { outcome: Outcome; reason: string } | undefined {
  const code = Number(
    /^Pre-install handler error: Child process exited with code (\d+)$/.exec(lastError)?.[1],
  );
  const outcome = outcomeOf(code);
  if (outcome === undefined) return undefined;
  return { outcome, reason: `system-check refused it: ${exitCodes[outcome][1]}` };
}
