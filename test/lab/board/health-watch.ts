/** Asks from outside, as a client in the house would, and adds up the time without a good answer. */
export interface HealthWatch {
  stop(): Promise<Downtime>;
}

export interface Downtime {
  /** From the last good answer before each gap to the first one after it. */
  downSeconds: number;
  /** How many gaps there were. */
  gaps: number;
}

/** Seldom enough: each answer is a unit of its own on a slow board. */
const everyMs = 1_000;
const answerMs = 5_000;

/** Begins with a board that answers. */
export function watchHealth(url: string): HealthWatch {
  let isOver = false;
  let lastGood = performance.now();
  let isDown = false;
  let downMs = 0;
  let gaps = 0;
  const watching = (async () => {
    while (!isOver) {
      const isGood = await answersWell(url);
      const now = performance.now();
      if (isGood) {
        if (isDown) downMs += now - lastGood;
        lastGood = now;
      } else if (!isDown) gaps += 1;
      isDown = !isGood;
      await Bun.sleep(everyMs);
    }
  })();
  return {
    async stop() {
      isOver = true;
      await watching;
      if (isDown) downMs += performance.now() - lastGood;
      return { downSeconds: Math.round(downMs / 100) / 10, gaps };
    },
  };
}

async function answersWell(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(answerMs), keepalive: false })).ok;
  } catch {
    return false;
  }
}
