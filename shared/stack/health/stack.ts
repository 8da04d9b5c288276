import type { Compose } from '../compose.ts';
import { type HealthCheck, type HealthResult, healthy } from './check.ts';

/** The compose file's stack, once it can be read: an unreadable file fails each check that needs the stack. */
export type FindStack = (signal: AbortSignal) => Promise<Pick<Compose, 'services' | 'containers' | 'exec'>>;

export interface InServiceOptions {
  name: string;
  service: string;
  budgetMs: number;
  /** The command in the service's container. */
  argv: readonly string[];
  /** Turns the command's answer into a result. */
  judge(answer: { exitCode: number; stdout: string; stderr: string }): HealthResult;
}

/** Runs a command in the container of a service; a stack without the service is healthy. */
export function inServiceCheck(find: FindStack, options: InServiceOptions): HealthCheck {
  const { name, service, budgetMs, argv, judge } = options;
  return {
    name,
    isRequired: true,
    budgetMs,
    async run(signal) {
      const stack = await find(signal);
      if (!stack.services().some((known) => known.name === service)) return healthy;
      return judge(await stack.exec(service, argv, { deadlineMs: budgetMs, accept: 'any', signal }));
    },
  };
}

/** The last line that is not blank. */
export function lastLineOf(text: string): string {
  return (
    text
      .split('\n')
      .findLast((line) => line.trim() !== '')
      ?.trim() ?? ''
  );
}
