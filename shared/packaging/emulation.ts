import { command } from '../system/process/command.ts';

const arm64Root = '/usr/aarch64-linux-gnu';
const isNative = process.arch === 'arm64';

/**
 * The environment in which this machine runs the board's arm64 programs: qemu's processor, and the folder of their loader
 * and libraries. Under emulation they take two thirds of the time without the JIT, whose code an emulator must translate.
 */
export const emulation: Readonly<Record<string, string>> = isNative
  ? {}
  : { QEMU_CPU: 'cortex-a57', QEMU_LD_PREFIX: arm64Root, BUN_JSC_useBaselineJIT: '0' };

/** Whether this machine runs arm64 programs: their C library is a program as well, which says its version. */
export async function runsArm64(): Promise<boolean> {
  if (isNative) return true;
  const run = command({ deadlineMs: 30_000, accept: 'any', env: emulation });
  return (await run`${`${arm64Root}/lib/libc.so.6`}`).stdout.startsWith('GNU C Library');
}
