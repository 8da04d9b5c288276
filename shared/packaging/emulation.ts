/**
 * The environment in which this machine runs the board's arm64 programs: qemu's processor, and the folder of their loader
 * and libraries. Under emulation they take two thirds of the time without the JIT, whose code an emulator must translate.
 */
export const emulation: Readonly<Record<string, string>> =
  process.arch === 'arm64'
    ? {}
    : { QEMU_CPU: 'cortex-a57', QEMU_LD_PREFIX: '/usr/aarch64-linux-gnu', BUN_JSC_useBaselineJIT: '0' };
