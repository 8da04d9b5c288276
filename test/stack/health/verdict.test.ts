import { describe, expect, test } from 'bun:test';
import { parseBaseline, takeBaseline } from '../../../shared/stack/health/baseline.ts';
import type { HealthCheck, HealthResult } from '../../../shared/stack/health/check.ts';
import type { Report } from '../../../shared/stack/health/run-checks.ts';
import { type Baseline, failingInBoth, failuresIn, judge } from '../../../shared/stack/health/verdict.ts';

const fine: HealthResult = { isHealthy: true };
const broken = (reason: string, faults?: Record<string, string>): HealthResult & { isHealthy: false } => ({
  isHealthy: false,
  reason,
  ...(faults === undefined ? {} : { faults }),
});
const never = new AbortController().signal;

function report(results: Record<string, HealthResult>, wanted: readonly string[] = []): Report {
  const entries = Object.entries(results);
  return Object.fromEntries(
    entries.map(([name, result]) => [name, { isRequired: !wanted.includes(name), result, ms: 1 }]),
  );
}

describe('judge()', () => {
  test('is healthy when all are', () => {
    const verdict = judge(report({ http: fine, unit: fine }));
    expect(verdict).toEqual({ isHealthy: true, excused: [], unfulfilled: [] });
  });

  test('names all that fail, with their reasons', () => {
    const verdict = judge(
      report({ http: broken('it answers 503'), unit: fine, compose: broken('"a" is dead') }),
    );
    expect(verdict).toEqual({
      isHealthy: false,
      reason: 'http: it answers 503; compose: "a" is dead',
      excused: [],
      unfulfilled: [],
    });
  });

  test('excuses and names what was broken before, with the reason of now', () => {
    const baseline: Baseline = { printer: broken('no paper') };
    expect(judge(report({ http: fine, printer: broken('no ink') }), baseline)).toEqual({
      isHealthy: true,
      excused: ['printer: no ink'],
      unfulfilled: [],
    });
  });

  test('does not excuse one check by another, nor by a name that every object has', () => {
    const baseline: Baseline = { printer: broken('no paper') };
    expect(judge(report({ http: broken('x') }), baseline).isHealthy).toBe(false);
    expect(judge(report({ toString: broken('x') }), {}).isHealthy).toBe(false);
  });

  test.each<[Record<string, string>, boolean, string | undefined, string[]]>([
    [{ a: 'a is dead' }, true, undefined, ['compose: a is dead']],
    [{ a: 'a is gone', b: 'b is dead' }, false, 'compose: b is dead', ['compose: a is gone']],
    [{ b: 'b is dead' }, false, 'compose: b is dead', []],
  ])('excuses of %j only what was wrong before', (faults, isHealthy, reason, excused) => {
    const baseline: Baseline = { compose: broken('a is dead', { a: 'a is dead' }) };
    const verdict = judge(report({ compose: broken('all', faults) }), baseline);
    expect(verdict).toEqual({
      isHealthy,
      excused,
      unfulfilled: [],
      ...(reason === undefined ? {} : { reason }),
    } as typeof verdict); // built of the table
  });

  test('never counts what is only wanted, and names it', () => {
    expect(judge(report({ http: fine, weather: broken('rain') }, ['weather']))).toEqual({
      isHealthy: true,
      excused: [],
      unfulfilled: ['weather: rain'],
    });
  });
});

describe('failuresIn()', () => {
  test('names all that fail, wanted ones too', () => {
    const failures = failuresIn(report({ http: fine, a: broken('x'), weather: broken('rain') }, ['weather']));
    expect(failures).toEqual(['a: x', 'weather: rain']);
  });
});

describe('failingInBoth()', () => {
  test('takes no failure that was not there at both looks', () => {
    const one = report({ a: broken('1'), b: fine, c: broken('1'), d: fine });
    const other = report({ a: broken('2'), b: broken('2'), c: fine, d: fine, e: broken('2') });
    expect(failingInBoth(one, other)).toEqual({ a: broken('2') });
  });
});

describe('takeBaseline()', () => {
  const check = (name: string, answers: HealthResult[]): HealthCheck & { asked: () => number } => {
    let count = 0;
    const run = async (): Promise<HealthResult> => {
      count += 1;
      return answers[Math.min(count, answers.length) - 1] ?? fine;
    };
    return { name, isRequired: true, budgetMs: 1_000, asked: () => count, run };
  };

  test('looks just once when all is fine', async () => {
    const http = check('http', [fine]);
    expect(await takeBaseline([http], never)).toEqual({});
    expect(http.asked()).toBe(1);
  });

  test('keeps what stays broken, and not what fails once', async () => {
    const baseline = await takeBaseline(
      [
        check('dead', [broken('dead')]),
        check('late', [broken('late'), fine]),
        check('flaky', [fine, fine, broken('x')]),
        check('restarts', [fine, broken('y'), broken('z')]),
      ],
      never,
    );
    expect(baseline).toEqual({ dead: broken('dead'), restarts: broken('z') });
    expect(parseBaseline(JSON.parse(JSON.stringify(baseline)))).toEqual(baseline);
  });
});

describe('parseBaseline()', () => {
  test('reads back what each service had', () => {
    const baseline: Baseline = { compose: broken('x', { core: 'x' }) };
    expect(parseBaseline(JSON.parse(JSON.stringify(baseline)))).toEqual(baseline);
  });

  test.each([undefined, null, 'x', { http: true }, { http: { isHealthy: true } }])(
    'excuses nothing when it is %j',
    (content) => {
      expect(parseBaseline(content)).toEqual({});
    },
  );
});
