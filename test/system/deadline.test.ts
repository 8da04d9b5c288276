import { describe, expect, setSystemTime, test } from 'bun:test';
import { Deadline, pause } from '../../shared/system/deadline.ts';

describe('Deadline', () => {
  test('is over when its time has passed, and has nothing left then', async () => {
    const deadline = new Deadline(30);
    expect(deadline.isOver).toBe(false);
    expect(deadline.leftMs).toBeGreaterThan(0);
    expect(deadline.leftMs).toBeLessThanOrEqual(30);

    await pause(40);

    expect(deadline.isOver).toBe(true);
    expect(deadline.leftMs).toBe(0);
  });

  test('is not bent when the clock jumps from 1970 to today', () => {
    try {
      setSystemTime(new Date('1970-01-01T00:00:10Z'));
      const deadline = new Deadline(60_000);
      setSystemTime(new Date('2026-01-01T00:00:00Z'));
      expect(deadline.leftMs).toBeGreaterThan(50_000);
    } finally {
      setSystemTime();
    }
  });
});

describe('pause()', () => {
  test('throws the reason at once when the signal is aborted meanwhile', async () => {
    const ending = new AbortController();
    const startedMs = performance.now();

    const paused = pause(60_000, ending.signal);
    ending.abort(new Error('enough'));

    await expect(paused).rejects.toThrow('enough');
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });

  test('throws the reason when the signal was aborted before', async () => {
    await expect(pause(60_000, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  });

  test('leaves no listener on the signal when it is over', async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };

    await pause(1, signal);

    expect(listeners).toBe(0);
  });
});
