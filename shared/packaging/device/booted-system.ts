import { Failure } from '../../system/failure.ts';
import { CommandFailure, type CommandResult, command } from '../../system/process/command.ts';
import { emulation } from '../emulation.ts';
import { usualPath } from './host.ts';
import { deviceMark } from './processes.ts';

export type Environment = Readonly<Record<string, string>>;

export interface RunOptions {
  env?: Environment;
  deadlineMs?: number;
  signal?: AbortSignal | undefined;
}

const usualDeadlineMs = 120_000;

/** The environment of a service on the booted system: as from systemd, without HOME and SHLVL. */
export function bootedEnvironment(options: {
  folder: string;
  bootId: string;
  extra?: Environment | undefined;
}): Environment {
  const { folder } = options;
  return {
    PATH: `${folder}/bin:${usualPath}`,
    HOMIE_DATA: `${folder}/data`,
    HOMIE_RUN: `${folder}/run`,
    HOMIE_ROOT: `${folder}/root`,
    HOMIE_BOOT_ID: options.bootId,
    HOMIE_RUN_UNITS: `${folder}/units`,
    RAUC_SYSTEM_CONFIG: `${folder}/system.conf`,
    DBUS_STARTER_BUS_TYPE: 'session',
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${folder}/bus`,
    ...emulation,
    ...options.extra,
    [deviceMark]: folder,
  };
}

/**
 * Runs a program with that environment only, without our own variables. Returns its exit code, never throws for it: 128 + N
 * after signal N. Throws a Failure if the program does not start or exceeds its deadline.
 */
export async function runBooted(
  environment: Environment,
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<CommandResult> {
  const pairs = Object.entries({ ...environment, ...options.env }).map(([name, value]) => `${name}=${value}`);
  const run = command({
    deadlineMs: options.deadlineMs ?? usualDeadlineMs,
    accept: 'any',
    signal: options.signal,
    cwd: '/',
  });
  try {
    return await run`env -i ${pairs} ${program} ${args}`;
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    throw new Failure(`Cannot run "${program}" on the device: ${error.message.replace(/^"env" /, 'it ')}`, {
      cause: error,
    });
  }
}
