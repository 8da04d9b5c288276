import { describe, expect, test } from 'bun:test';
import {
  type HealthCheck,
  type HealthResult,
  healthy,
  unhealthy,
} from '../../../shared/stack/health/check.ts';
import { runChecks } from '../../../shared/stack/health/run-checks.ts';
import { pauseAfter, waitUntilHealthy } from '../../../shared/stack/health/wait.ts';
import type { Log } from '../../../shared/system/terminal/log.ts';

const never = new AbortController().signal;

function check(name: string, run: HealthCheck['run'], more: Partial<HealthCheck> = {}): HealthCheck {
  return { name, isRequired: true, budgetMs: 2_000, ...more, run };
}

const hanging: HealthCheck['run'] = () => new Promise<HealthResult>(() => {});

/** Healthy from then on, by the clock. */
function from(ms: number, until = Number.POSITIVE_INFINITY): HealthCheck['run'] {
  const startMs = performance.now();
  return async () => {
    const nowMs = performance.now() - startMs;
    return nowMs >= ms && nowMs < until ? healthy : unhealthy('not yet');
  };
}

/** Always healthy; how often it was asked is counted. */
function counted(): HealthCheck & { asked: () => number } {
  let asked = 0;
  const run = async () => {
    asked += 1;
    return healthy;
  };
  return { ...check('http', run), asked: () => asked };
}

function listening(): Log & { lines: string[] } {
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  return {
    lines,
    info: say,
    warn: say,
    error: say,
    alsoTo: say,
    lastLine: '',
    step: (_a, _b, _c, work) => work(),
  };
}

async function wait(checks: readonly HealthCheck[], deadlineMs: number, settleMs: number, signal = never) {
  const log = listening();
  const startMs = performance.now();
  const verdict = await waitUntilHealthy({ checks, deadlineMs, settleMs, log, signal });
  return { verdict, ms: performance.now() - startMs, lines: log.lines };
}

describe('runChecks()', () => {
  test('runs all at once, each for its own budget, and a hanging one costs only that', async () => {
    const startMs = performance.now();
    const report = await runChecks(
      [
        check('hangs', hanging, { budgetMs: 300 }),
        check('deaf', hanging, { budgetMs: 250 }),
        check('fine', async () => healthy),
      ],
      never,
    );
    expect(performance.now() - startMs).toBeLessThan(1_500);
    expect(report['hangs']?.result).toEqual(unhealthy('no answer within 0.3 s'));
    expect(report['hangs']?.ms).toBeWithin(290, 1_500);
    expect(report['fine']).toMatchObject({ isRequired: true, result: healthy });
    expect(report['fine']?.ms).toBeLessThan(250);
  });

  test('tells the check to end when its budget is over', async () => {
    let isTold = false;
    const run: HealthCheck['run'] = (signal) => {
      signal.addEventListener('abort', () => {
        isTold = true;
      });
      return hanging(signal);
    };
    await runChecks([check('hangs', run, { budgetMs: 50 })], never);
    expect(isTold).toBe(true);
  });

  test('takes what a check throws for its reason, short and without secrets', async () => {
    const report = await runChecks(
      [
        check('throws', () => Promise.reject(new Error('first\nsecond'))),
        check('at-once', () => {
          throw new Error('at once');
        }),
        check('secret', async () => unhealthy(`postgresql://homie:geheim@db/x ${'y'.repeat(400)}`)),
      ],
      never,
    );
    expect(report['throws']?.result).toEqual(unhealthy('first; second'));
    expect(report['at-once']?.result).toEqual(unhealthy('at once'));
    const secret = JSON.stringify(report['secret']?.result);
    expect(secret).not.toContain('geheim');
    expect(secret.length).toBeLessThan(260);
  });

  test('throws the reason when it is stopped', async () => {
    const ending = new AbortController();
    const running = runChecks([check('hangs', hanging)], ending.signal);
    ending.abort(new Error('told to end'));
    expect(await running.catch((error: Error) => error.message)).toBe('told to end');
  });
});

describe('waitUntilHealthy()', () => {
  test('believes what stays healthy for as long as it has to settle, and no sooner', async () => {
    const http = counted();
    const { verdict, ms } = await wait([http], 10_000, 700);
    expect(verdict.isHealthy).toBe(true);
    expect(ms).toBeWithin(700, 3_000);
    expect(http.asked()).toBeGreaterThanOrEqual(3);
  });

  test('asks at least twice when nothing has to settle', async () => {
    const http = counted();
    await wait([http], 1_000, 0);
    expect(http.asked()).toBe(2);
  });

  test('begins to settle anew when it fails meanwhile', async () => {
    const answers = [true, false, true, true, true, true, true, true];
    let asked = 0;
    const run = async () => (answers[asked++] === false ? unhealthy('restarted once') : healthy);
    const { verdict, ms, lines } = await wait([check('compose', run)], 10_000, 500);
    expect(verdict.isHealthy).toBe(true);
    expect(ms).toBeGreaterThan(1_000);
    expect(lines).toContain('Not healthy yet: compose: restarted once');
  });

  test('is healthy when it becomes so just before the deadline, which settling may pass', async () => {
    const { verdict, ms } = await wait([check('http', from(700))], 1_200, 800);
    expect(verdict.isHealthy).toBe(true);
    expect(ms).toBeGreaterThan(1_200);
  });

  test('is not when it would become so just after the deadline', async () => {
    const { verdict, ms } = await wait([check('http', from(2_500))], 900, 100);
    expect(verdict).toMatchObject({ isHealthy: false, reason: 'http: not yet' });
    expect(ms).toBeWithin(900, 2_400);
  });

  test('is not when it fails after the deadline while it settles', async () => {
    const { verdict } = await wait([check('http', from(0, 900))], 500, 60_000);
    expect(verdict).toMatchObject({ isHealthy: false, reason: 'http: not yet' });
  });

  test('asks again within half a second', async () => {
    const asked: number[] = [];
    const run = async () => {
      asked.push(performance.now());
      return unhealthy('no');
    };
    await wait([check('http', run)], 1_500, 0);
    expect(asked.length).toBeGreaterThanOrEqual(4);
  });

  test('leaves an unhealthy system alone for as long as its answer took', async () => {
    const pauses: number[] = [];
    let answeredMs = Number.NaN;
    const run = async () => {
      pauses.push(performance.now() - answeredMs);
      await Bun.sleep(800);
      answeredMs = performance.now();
      return unhealthy('still starting');
    };
    await wait([check('database', run)], 2_400, 0);
    expect(pauses[1]).toBeGreaterThanOrEqual(790);
  });

  test.each([
    [4, 300],
    [300, 300],
    [1_200, 1_200],
    [20_000, 5_000],
  ])('pauseAfter() a round of %d ms is %d ms', (roundMs, pauseMs) => {
    expect(pauseAfter(roundMs)).toBe(pauseMs);
  });

  test('says each new reason once, and at the end what was excused and what was only wanted', async () => {
    const log = listening();
    await waitUntilHealthy({
      checks: [
        check('http', from(700)),
        check('printer', async () => unhealthy('no paper')),
        check('weather', async () => unhealthy('rain'), { isRequired: false }),
      ],
      baseline: { printer: { isHealthy: false, reason: 'no paper' } },
      deadlineMs: 10_000,
      settleMs: 0,
      log,
      signal: never,
    });
    expect(log.lines).toEqual([
      'Waiting until all is healthy, 10 s at most',
      'Not healthy yet: http: not yet',
      'Healthy, to stay so for 0 s',
      'Healthy, according to: http, printer, weather',
      'Broken before the update already: printer: no paper',
      'Wanted, but not required: weather: rain',
    ]);
  });

  test('throws the reason as soon as it is stopped', async () => {
    const ending = new AbortController();
    const run = async () => {
      ending.abort(new Error('told to end'));
      return unhealthy('no');
    };
    const ended = await wait([check('http', run)], 60_000, 0, ending.signal).catch((error: Error) => error);
    expect(ended).toMatchObject({ message: 'told to end' });
  });
});
