/** What a board computes with, and what its clock goes by. */
export interface Processors {
  /** As QEMU names it. */
  model: string;
  /** Arguments of QEMU. */
  emulation: readonly string[];
  /** U-Boot counts two seconds down, to wait for a key, and uses the processor all the time. */
  hasCountdown: boolean;
}

/** The Nano's, as fast as this machine can, each on its own: for what is measured, on a machine that does nothing else. */
export const nanoProcessors: Processors = {
  model: 'cortex-a57',
  emulation: ['-accel', 'tcg,thread=multi,tb-size=256'],
  hasCountdown: true,
};

/**
 * For what a board does, and not how fast. Its clock counts instructions, 8 ns each: on a busy machine the board is slow,
 * and no deadline of its own knows. The model has instructions that the Nano's has not, by which the kernel spares the
 * emulator a quarter of its work; those that cost the emulator more are left out.
 */
export const steadyProcessors: Processors = {
  model: 'max,pauth=off,sve=off,sme=off',
  emulation: ['-accel', 'tcg,thread=single,tb-size=256', '-icount', 'shift=3,sleep=on'],
  hasCountdown: false,
};
