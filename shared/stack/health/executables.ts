import { accessSync, constants, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isMissing, reasonOf } from '../../system/failure.ts';
import { pathInRoot } from '../../system/files/rooted-path.ts';
import { command } from '../../system/process/command.ts';
import type { Log } from '../../system/terminal/log.ts';
import { type HealthCheck, healthy, unhealthy } from './check.ts';
import { lastLineOf } from './stack.ts';

const budgetMs = 60_000;
const folders = [
  ['required.d', true],
  ['wanted.d', false],
] as const;

/**
 * A check for each executable in etc/homie/health/required.d and wanted.d of the root, named after its file: exit
 * code 0 is healthy, else the last line is the reason. Other files there cause one warning each.
 */
export function findExecutableChecks(root: string, log: Log): HealthCheck[] {
  return folders.flatMap(([name, isRequired]) => {
    const folder = pathInRoot(root, join('/etc/homie/health', name));
    return namesIn(folder).flatMap((file): HealthCheck[] => {
      const path = join(folder, file);
      if (isExecutable(path))
        return [{ name: file, isRequired, budgetMs, run: (signal) => ask(path, signal) }];
      log.warn(`Cannot use the health check "${path}": it is not an executable file`);
      return [];
    });
  });

  function namesIn(folder: string): string[] {
    try {
      return readdirSync(folder).sort();
    } catch (error) {
      if (!isMissing(error)) log.warn(`Cannot read the health checks in "${folder}": ${reasonOf(error)}`);
      return [];
    }
  }
}

async function ask(path: string, signal: AbortSignal) {
  let lastLine = '';
  const onLine = (line: string): void => {
    lastLine = lastLineOf(line) || lastLine;
  };
  const run = command({ deadlineMs: budgetMs, accept: 'any', signal, onLine });
  const { exitCode } = await run`${path}`;
  return exitCode === 0 ? healthy : unhealthy(lastLine || `it ends with ${exitCode}`);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
