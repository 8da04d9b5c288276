/** What an interrupted life has left behind, and what is done about it. */
export interface Fault {
  kind: 'transaction' | 'update' | 'debt' | 'hold' | 'leftovers' | 'database' | 'fallback' | 'slots';
  wrong: string;
  /** What repair does, or why it leaves it. */
  remedy: string;
  /** None where repair leaves it. */
  mend?: () => Promise<void>;
}
