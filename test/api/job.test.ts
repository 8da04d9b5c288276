import { describe, expect, test } from 'bun:test';
import { type JobFacts, type JobStanding, jobStateOf, startingSeconds } from '../../shared/api/job.ts';

const young = startingSeconds - 1;
const old = startingSeconds + 1;

describe('decideStanding()', () => {
  test.each<[string, JobFacts, JobStanding['state'], JobStanding['outcome']]>([
    ['is just being started', { end: undefined, isHeld: false, ageSeconds: 0 }, 'starting', undefined],
    [
      'is started by a slow board',
      { end: undefined, isHeld: false, ageSeconds: young },
      'starting',
      undefined,
    ],
    ['runs', { end: undefined, isHeld: true, ageSeconds: 1 }, 'running', undefined],
    ['runs for hours', { end: undefined, isHeld: true, ageSeconds: 9_999 }, 'running', undefined],
    ['was killed', { end: undefined, isHeld: false, ageSeconds: old }, 'failed', 'failed'],
    ['is done', { end: { exitCode: 0, lastLine: 'x' }, isHeld: false, ageSeconds: old }, 'done', 'done'],
    [
      'wants a reboot',
      { end: { exitCode: 4, lastLine: 'x' }, isHeld: false, ageSeconds: old },
      'done',
      'rebootNeeded',
    ],
    [
      'is at its end',
      { end: { exitCode: 4, lastLine: 'x' }, isHeld: true, ageSeconds: 1 },
      'done',
      'rebootNeeded',
    ],
    [
      'was refused',
      { end: { exitCode: 12, lastLine: 'x' }, isHeld: false, ageSeconds: 1 },
      'failed',
      'signature',
    ],
    [
      'was stopped',
      { end: { exitCode: 143, lastLine: 'x' }, isHeld: false, ageSeconds: 1 },
      'failed',
      'failed',
    ],
  ])('when it %s', (_when, facts, state, outcome) => {
    const standing = jobStateOf(facts);
    expect([standing.state, standing.outcome]).toEqual([state, outcome]);
    expect(standing.exitCode).toBe(facts.end?.exitCode);
    if (facts.end !== undefined) expect(standing.reason).toBe('x');
  });
});
