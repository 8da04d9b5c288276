import { type Config, readConfig, requireInstallable } from '../../config/config.ts';
import { hidesWindows, wordsOfProblem } from '../../config/config-problem.ts';
import { findPlaces, type Places } from '../../system/places.ts';
import type { Running } from '../../system/process/program.ts';
import type { Values } from '../../system/terminal/arguments.ts';

/** The device before its config is read, and for programs that need no config. */
export interface BareDevice extends Running {
  readonly places: Places;
}

/** The device that a program works on: made once, where the program begins. */
export interface Device extends BareDevice {
  readonly config: Config;
  /** It is unknown when the user allows updates: the config of the windows, or all of it, cannot be read. */
  readonly isConfigUnknown?: true;
}

export function openDevice(values: Values, running: Running): BareDevice {
  return { ...running, places: findPlaces({ data: values.text('data') }) };
}

/**
 * Reads the config; `tell` logs what cannot be used of it, and the program continues with the defaults of those keys: a
 * config of a later version must not stop a boot or a report.
 */
export function withConfig(device: BareDevice, tell = (line: string): void => device.log.warn(line)): Device {
  const config = readConfig(device.places);
  for (const problem of config.problems) tell(wordsOfProblem(problem));
  const isConfigUnknown = config.problems.some(hidesWindows);
  return { ...device, config, ...(isConfigUnknown ? { isConfigUnknown } : {}) };
}

/** For programs that install: throws a Failure where a wrong value could do harm. */
export function withConfigToInstall(device: BareDevice, tell?: (line: string) => void): Device {
  const configured = withConfig(device, tell);
  requireInstallable(configured.config);
  return configured;
}
