import { Failure } from '../../system/failure.ts';

/** One line of `fw_env.config`: where libubootenv finds a copy of U-Boot's environment. Two lines are two copies. */
export interface EnvironmentCopy {
  device: string;
  offsetBytes: number;
  sizeBytes: number;
}

const line = /^(\/\S+)\s+(0x[\da-f]+|\d+)\s+(0x[\da-f]+|\d+)(?:\s+(?:0x[\da-f]+|\d+)){0,2}$/i;

/** Reads the one or two copies; `path` is for the message only. Throws a usage Failure. */
export function parseFwEnvConfig(text: string, path: string): EnvironmentCopy[] {
  const wrong = (reason: string): Failure =>
    new Failure(`Cannot use "${path}": ${reason}`, { outcome: 'usage' });
  const copies = text.split('\n').flatMap((raw, index): EnvironmentCopy[] => {
    const words = raw.replace(/#.*/, '').trim();
    if (words === '') return [];
    const [, device, offset, size] = line.exec(words) ?? [];
    if (device === undefined)
      throw wrong(`line ${index + 1}, expected a device, an offset and a size, found "${words}"`);
    return [{ device, offsetBytes: Number(offset), sizeBytes: Number(size) }];
  });
  const [first, second, ...more] = copies;
  if (first === undefined || more.length > 0)
    throw wrong(`it has to name one or two places, and names ${copies.length}`);
  if (second !== undefined && first.sizeBytes !== second.sizeBytes)
    throw wrong('its two copies differ in size');
  return copies;
}
