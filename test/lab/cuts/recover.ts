import type { Board } from '../board/board.ts';
import { type Facts, factsOf } from './facts.ts';

const settleMs = 420_000;

/** Switches the board on and leaves it alone, until a system has come to its verdict that is to stay. */
export async function recover(board: Board): Promise<{ facts: Facts; seconds: number }> {
  await board.powerOn();
  const started = performance.now();
  while (true) {
    await board.nextBoot();
    if (!(await comesToVerdict(board))) continue;
    const seconds = Math.round((performance.now() - started) / 100) / 10;
    const facts = await factsOf(board);
    // A rejected trial reboots into the slot that it has set as the primary one.
    if (facts.order.startsWith(facts.slot)) return { facts, seconds };
  }
}

/** False where the system has gone away before: it reboots. */
async function comesToVerdict(board: Board): Promise<boolean> {
  const { bootId } = board;
  try {
    // Waits without asking again and again, which is dear in emulation.
    await board.ask('systemctl is-system-running --wait', settleMs);
    return true;
  } catch (error) {
    if (board.bootId !== bootId) return false;
    throw error;
  }
}
