import { afterAll, beforeAll, describe, expect } from 'bun:test';
import { suiteOf } from '../support/report/suite-report.ts';
import { FleetServer } from './server/fleet-server.ts';
import { Management } from './server/management.ts';
import { liveTogether, type Simulated, simulate, simulateBaseline } from './simulated-fleet.ts';

/** A rollout is worth what its devices say: 200 of them, a tenth of the first group falling back. */

const devices = 200;
const groups = 4;
const firstGroup = devices / groups;
const fallingBack = firstGroup / 10;
const polling = 2_000;

const { scenario: story, note } = suiteOf({ name: 'fleet/rollout', least: 3, timeoutMs: 900_000 });

describe('a fleet', () => {
  let server: FleetServer;
  let operator: Management;
  beforeAll(async () => {
    server = await FleetServer.start();
    operator = new Management(server.url);
    note({ serverVersion: FleetServer.version });
  }, 240_000);
  afterAll(async () => await server?.[Symbol.asyncDispose]());

  /** Starts it, lets the devices live until it stands or is through, and answers with how it stands. */
  async function rollOut(prefix: string, make: typeof simulate) {
    const ending = new AbortController();
    const wish = { url: server.url, gatewayToken: server.gatewayToken, signal: ending.signal };
    const fleet = Array.from({ length: devices }, (_, index): Simulated => {
      const id = `${prefix}-${String(index).padStart(4, '0')}`;
      return make(id, wish);
    });
    await operator.addTargets(fleet.map(({ id }) => ({ controllerId: id, securityToken: `of-${id}` })));
    const release = await operator.addRelease(
      '1.1.0',
      'homie-1.1.0.raucb',
      new TextEncoder().encode('a bundle'),
    );
    const rollout = await operator.addRollout({
      name: prefix,
      distributionSetId: release,
      targetFilterQuery: `controllerId==${prefix}-*`,
      amountGroups: groups,
      type: 'forced',
      successCondition: { condition: 'THRESHOLD', expression: '95' },
      successAction: { action: 'NEXTGROUP', expression: '' },
      errorCondition: { condition: 'THRESHOLD', expression: '5' },
      errorAction: { action: 'PAUSE', expression: '' },
    });
    const status = async () => String((await operator.rollout(rollout))['status']);
    await until(async () => (await status()) === 'ready');
    // The server says who is in the first group.
    const first = await operator.firstGroup(rollout);
    expect(first).toHaveLength(firstGroup);
    const falling = first.slice(0, fallingBack);
    for (const { id, device } of fleet) if (falling.includes(id)) device.fate = 'falls-back';
    await operator.startRollout(rollout);
    const living = liveTogether(fleet, ending.signal);
    let isOver = false;
    const over = until(async () => ['paused', 'stopped', 'finished'].includes(await status())).then(() => {
      isOver = true;
    });
    await Promise.race([over, living]);
    expect(isOver).toBe(true);
    ending.abort();
    await living;
    const later = fleet.filter(({ id }) => !first.includes(id));
    return { fleet, later, status: await status(), groups: await operator.groups(rollout) };
  }

  story('a rollout over 200 devices stops at its threshold, where the first group falls back', async () => {
    const { fleet, later, status, groups: standing } = await rollOut('true', simulate);
    expect(status).toBe('paused');
    expect(standing.map((group) => group['status'])).toEqual([
      'error',
      'scheduled',
      'scheduled',
      'scheduled',
    ]);
    expect(later.every(({ device }) => device.installs === 0 && device.running === '1.0.0')).toBe(true);
    note({
      rolloutStopped: true,
      devices,
      reached: fleet.filter(({ device }) => device.installs > 0).length,
    });
  });

  story('the same with a client that reports at install time does not', async () => {
    const { fleet, status } = await rollOut('baseline', simulateBaseline);
    expect(status).toBe('finished');
    expect(fleet.every(({ device }) => device.installs === 1)).toBe(true);
    expect(fleet.filter(({ device }) => device.running === '1.0.0')).toHaveLength(fallingBack);
    note({ baselineStopped: false, baselineReached: fleet.length });
  });

  story('2,000 devices ask, and none is lost', async () => {
    const rounds = 2;
    const ending = new AbortController();
    const wish = { url: server.url, gatewayToken: server.gatewayToken, signal: ending.signal };
    const fleet = Array.from({ length: polling }, (_, index) => simulate(`many-${index}`, wish));
    const failures: string[] = [];
    const started = performance.now();
    // So many sockets at a time; the rest wait for their turn, as devices in many houses do.
    const waiting = fleet.flatMap((one) => Array.from({ length: rounds }, () => one));
    const work = async (): Promise<void> => {
      for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
        const { id, round } = one;
        await round().catch((error: unknown) => failures.push(`${id}: ${error}`));
      }
    };
    await Promise.all(Array.from({ length: 32 }, work));
    const seconds = (performance.now() - started) / 1000;
    ending.abort();
    expect(failures).toEqual([]);
    const known = await operator.targets('attribute.version==1.0.0 and controllerId==many-*');
    expect(known).toBe(polling);
    // Each first round is two requests: what is there, and what the device is.
    const requests = polling * (rounds + 1);
    note({
      polling,
      lost: polling - known,
      requests,
      requestsPerSecond: Math.round(requests / seconds),
    });
  });
});

/** Asked now and then; the test's own time limit ends a wait in vain. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await Bun.sleep(250);
}
