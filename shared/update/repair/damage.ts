import type { LockedDevice } from '../transaction/update-lock.ts';

/** A fault that an interrupted run has left on the device, and its remedy. */
export interface Damage {
  kind: 'transaction' | 'update' | 'debt' | 'hold' | 'leftovers' | 'database' | 'fallback' | 'slots';
  wrong: string;
  /** What repair does, or why it leaves the fault alone. */
  remedy: string;
  /** Undefined where repair leaves the fault alone. */
  mend?: (device: LockedDevice) => Promise<void>;
}
