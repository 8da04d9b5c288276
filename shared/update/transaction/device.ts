import { type Config, defaultConfig, readConfig } from '../../config/config.ts';
import { reasonOf } from '../../system/failure.ts';
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
}

export function openDevice(values: Values, running: Running): BareDevice {
  return { ...running, places: findPlaces({ data: values.text('data') }) };
}

/** Each program reads the config where its failure belongs, such as after the lock. Throws a Failure. */
export function withConfig(device: BareDevice): Device {
  return { ...device, config: readConfig(device.places) };
}

/** For what must go on with an unreadable config: a boot, recovery, a report. The problem is logged by `tell`. */
export function withConfigOrDefaults(
  device: BareDevice,
  tell = (line: string): void => device.log.warn(line),
): Device {
  try {
    return withConfig(device);
  } catch (error) {
    tell(`${reasonOf(error)}; continuing with the defaults`);
    return { ...device, config: defaultConfig(device.places) };
  }
}
