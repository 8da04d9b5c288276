import { print } from '../shared/system/terminal/print.ts';
import type { Hook } from './hook.ts';

/** Runs one program from its arguments to its exit code. */
export async function tell(hook: Hook, args: readonly string[]): Promise<void> {
  const { runProgram } = await import('../shared/system/process/program.ts');
  const { parseArguments } = await import('../shared/system/terminal/arguments.ts');
  const { name } = hook.spec;
  const { deadlineMs, exitCodeOf } = hook;
  await runProgram({ name, deadlineMs, ...(exitCodeOf && { exitCodeOf }) }, async (running) => {
    const parsed = await parseArguments(hook.spec, args);
    if (parsed.kind === 'command') return await hook.story(parsed.command, parsed.values, running);
    print(1, `${parsed.text}\n`);
    return 'done';
  });
}
